"""What the lesson on backpropagation claims, held against what its cells left behind."""

# the network, in brief
assert sum(array.size for array in parameters.values()) == 101_770
assert np.all(np.abs(A2[:4] - 0.1) < 0.11)  # "nearly all close to 10%"
assert np.mean(np.abs(A2[:4] - 0.1) < 0.05) > 0.85

# the loss
assert f"{L_good:.4f}" == "0.0513"
assert f"{L_bad:.4f}" == "2.3026"
assert f"{L_bad / L_good:.1f}" == "44.9"
assert np.isclose(good.sum(), 1)
assert np.isclose(bad.sum(), 1)
assert f"{L_before:.4f}" == "2.3269"
assert abs(L_before - np.log(10)) < 0.03

# the descent
assert [round(paths[rate].factor, 10) for rate in rates] == [0.8, 0.4, 0.0, -0.8, -1.0, -1.2]
assert np.all(paths[0.5].x[1:] == 0)  # exactly, after one step
assert np.all(paths[0.3].x > 0)
assert np.all(np.diff(np.abs(paths[0.9].x)) < 0)
assert np.all(paths[0.9].x[1::2] < 0)
assert np.all(np.abs(paths[1.0].x) == 2.5)
assert np.all(np.diff(np.abs(paths[1.1].x)) > 0)
assert np.all(parabola(0.4).x > 0)  # below 0.5 nothing oscillates
assert parabola(0.6).x[1] < 0

# the formulas on tiny numbers
assert np.allclose([float(one) for one in slopes], (p - t)[0], atol=1e-8)
assert np.argmin(slopes) == 1
assert abs(sum(float(one) for one in slopes)) < 1e-8
assert np.allclose(tables.sum(axis=0), A.T @ dZ, atol=1e-15)
assert np.all(tables[1][0] == 0)

# each line against the trace and against the lesson's function
lines = {"dZ2": dZ2, "dW2": dW2, "db2": db2, "dA1": dA1, "dZ1": dZ1, "dW1": dW1, "db1": db1}
for name, array in lines.items():
    assert array.shape == step[name].shape, name
    assert np.abs(array - step[name].value).max() < 1e-15, name
    if name in gradients:
        assert np.abs(array - gradients[name]).max() < 1e-15, name
assert [int(k) for k in np.flatnonzero(dZ2[0] < 0)] == [5] == [int(y[0])]
assert abs(dZ2[0].sum()) < 1e-15
assert (int(np.sum(Z1 > 0)), Z1.size) == (322, 640)
assert np.allclose(per_example["dZ2"].value, 5 * step["dZ2"].value, rtol=1e-12)
for name in ("dW1", "dW2", "db1", "db2"):
    assert np.allclose(per_example[name].value, step[name].value, rtol=1e-12, atol=1e-16), name
assert per_example["dW2"].formula.endswith("/ m")
assert "322 / 640" in printed

# one weight, then all
assert np.isclose(sum(term.product for term in one_weight.sums[0].terms), one_weight.value, rtol=1e-12)
assert abs(one_weight.by_differences - one_weight.value) < 1e-8
assert sum(term.factors[0][1] == 0 for term in one_weight.sums[0].terms) == 2  # "two images have a black pixel"
assert one_weight.sums[0].terms[3].factors[1][0] == one_unit.name
assert np.isclose(one_weight.sums[0].terms[3].factors[1][1], one_unit.value, rtol=1e-12)
assert abs(one_unit.by_differences - one_unit.value) < 1e-8
assert len(dA.terms) == 10
assert slope == 1
assert errors[1e-5] < 1e-7 < min(errors[1e-1], errors[1e-11])
assert errors[1.0] > errors[1e-3] > errors[1e-5] < errors[1e-9] < errors[1e-11]
assert 2 * 101_770 == 203_540
assert W1.size == 100_352
assert checked.ok

# magnitudes and the update
assert [int(np.min(np.abs(gradients[name])) == 0) for name in ("dW1", "dW2")] == [1, 1]
assert black.sum() == 443
assert np.all(gradients["dW1"][black] == 0)
assert f"{np.mean(gradients['dW1'] == 0):.1%}" == "71.0%"
assert max(np.abs(updated[name] - parameters[name]).max() for name in parameters) < 0.0023
assert f"{L_before - L_after:.3f}" == "0.126"
assert f"{predicted:.3f}" == "0.131"
assert L_uphill > L_before
for rate in (0.001, 0.0001):  # the difference to the prediction shrinks with α, faster than α
    nearer = lessons.cross_entropy_loss(
        Y, lessons.forward_propagation(X, lessons.update_parameters(parameters, gradients, rate))[0]
    )
    assert abs((L_before - nearer) / (predicted * rate / 0.01) - 1) < 5 * rate

# the full cycle, to the digit of recipe lesson-3
assert [f"{epoch.loss:.4f}" for epoch in history] == ["0.9653", "0.4375", "0.3580", "0.3180", "0.2909"]
assert [f"{epoch.accuracy:.4f}" for epoch in history] == ["0.8664", "0.8932", "0.9078", "0.9170", "0.9225"]
assert [f"{epoch.test_accuracy:.3f}" for epoch in history] == ["0.838", "0.873", "0.888", "0.891", "0.894"]
assert f"{1 - history[-1].loss / history[0].loss:.3f}" == "0.699"
assert X_train.dtype == np.float64
assert 78 * 128 == 9_984
assert "0.2909" in printed
assert "69.9" in printed or "69,9" in printed

# the errors in circulation
assert np.isnan(unclipped)
assert f"{-np.log(1e-7):.3f}" == "16.118"
for gap in (20.0, 100.0, 1000.0):
    assert abs(clipped[gap] + np.log(1e-7)) < 1e-9
    exact = float(pasapas.SoftmaxCrossEntropy().value(np.array([[0.0, gap, 0.0]]), Y3))
    assert abs(exact - gap) < 1e-6
    dz = pasapas.SoftmaxCrossEntropy().gradient(np.array([[0.0, gap, 0.0]]), Y3)
    assert abs(dz[0, 0] + 1) < 1e-6
assert abs(clipped[15.0] - 15) < 1e-4
assert np.isnan(np.clip(np.nan, 1e-7, 1 - 1e-7))
assert np.fmax(np.nan, 1e-7) == max(1e-7, np.nan) == 1e-7
assert drops[1, 0.01] > 0
assert drops[1_000, 0.01] > 0
assert drops[1_000, 3.0] < 0
assert np.allclose(np.abs(paths[0.1].x), np.abs(paths[0.9].x))  # "their two curves coincide"
assert max(dA.terms, key=lambda term: abs(term.product)).factors[0][0] == f"dZ2[3,{int(y[3])}]"
