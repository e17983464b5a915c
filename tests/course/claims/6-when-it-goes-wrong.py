"""What lesson 6 claims, from the variables that its notebook left behind."""

# 1: one mistake in three shows
assert difference < 1e-15
assert abs(accuracies["right"] - 0.9156) < 0.002
assert 0.895 < accuracies["no_slope"] < 0.907
assert abs(accuracies["bias_twice"] - accuracies["right"]) < 0.002
assert accuracies["wrong_mask"] < 0.2
assert (len(planted), int(np.sum(losses >= -1)), int(np.sum(losses >= 0))) == (145, 35, 14)
assert sum(one.accuracy is None for one in planted) == 26
assert len({one.program for one in planted}) == 7

assert 0.75 < cosines[0] < 0.85
assert 0.9 < cosines[1] < 1

# 2: the error of a difference, and what is best
for eps in (0.1, 0.01, 0.001):
    p = -slope  # 1 - p of the text
    one = abs((L(w + eps) - L(w)) / eps - slope)
    two = abs((L(w + eps) - L(w - eps)) / (2 * eps) - slope)
    assert abs(one / (eps / 2 * p * (1 - p)) - 1) < 0.05
    assert abs(two / (eps**2 / 6 * p * (1 - p) * abs(2 * p - 1)) - 1) < 0.05
one_sided, two_sided, single = errors.values()
assert 1e-6 < steps[np.argmin(two_sided)] * 1.01 < 1.1e-4
assert min(two_sided) < 1e-9
assert 1e-9 < steps[np.argmin(one_sided)] < 1.1e-6
assert 0.9e-3 < steps[np.argmin(single)] < 1.1e-1
assert min(single) > 1e-6
assert 5 < one_sided[1] / one_sided[2] < 20
assert 50 < two_sided[1] / two_sided[2] < 200
assert good_check.ok
assert not bad_check.ok
assert [bool(row.wrong.any()) for row in bad_check.rows] == [True, True, False, False]
assert max(float(np.nanmax(row.relative_errors)) for row in bad_check.rows) > 1
assert kinks.ok
assert [int(row.kinks.sum()) for row in kinks.rows] == [0, 8, 0, 0]
assert "0.55" in printed
assert blind.ok
assert abs(results["y"].history[-1].loss - results["y + 1"].history[-1].loss) < 0.02
assert results["y"].test[1] > 0.89
assert results["y + 1"].test[1] < 0.01

# 3: the doctor names both, and the game is as it is described
assert [finding.code for finding in first_report.findings] == ["activation-derivative-missing"]
assert [finding.code for finding in second_report.findings] == ["bias-gradient-averaged-twice"]
assert game.accuracy > expected["lesson"]
assert not guess.mistake
assert all(game.text[:start].count("\n") < line <= game.text[:end].count("\n") for line in game.lines())
assert [bool(row.wrong.any()) for row in suspect_check.rows] == [True, True, False, False]


def tanh_accuracy(wrong):
    parameters = lessons.initialize_parameters([784, 64, 10])
    for _ in range(3):
        for i in range(0, len(X) - 63, 64):
            A1 = np.tanh(X[i : i + 64] @ parameters["W1"] + parameters["b1"])
            dZ2 = (lessons.softmax(A1 @ parameters["W2"] + parameters["b2"]) - Y[i : i + 64]) / 64
            dZ1 = (dZ2 @ parameters["W2"].T) * (1 - (np.tanh(A1) if wrong else A1) ** 2)
            found = (X[i : i + 64].T @ dZ1, dZ1.sum(axis=0), A1.T @ dZ2, dZ2.sum(axis=0))
            for parameter, gradient in zip(parameters.values(), found, strict=True):
                parameter -= 0.1 * gradient
    A1 = np.tanh(X_test @ parameters["W1"] + parameters["b1"])
    return np.mean((A1 @ parameters["W2"] + parameters["b2"]).argmax(axis=1) == test.labels)


assert 0.0005 < tanh_accuracy(wrong=False) - tanh_accuracy(wrong=True) < 0.0025

# 4: gradients that vanish and explode
assert 40_000 < 1 / flows[0].reach < 50_000
assert 0.2 < flows[1].reach < 1
assert 250 < flows[2].reach < 310
assert 0.25 < reach["tanh", "Xavier"] < 0.4
assert 0.25 < reach["relu", "He"] < 0.4
assert 23 < reach["relu", "He"] / reach["relu", "Xavier"] < 25
assert reach["relu", "σ = 0.5"] > 1e5
assert 1 < reach["tanh", "σ = 0.5"] < 1e3
assert all(reach["sigmoid", name] < 0.01 for name in weights)
assert all(reach[activation, "σ = 0.02"] < 1e-6 for activation in ("sigmoid", "tanh", "relu"))
assert abs(z.var() / 2 - 1) < 0.05
assert abs(np.mean(a**2) - 1) < 0.05

# 5: dead units
relu, leaky = low.values()
assert relu[0][0] == 61
assert relu[1][0] == 62
assert relu[1][1] == np.mean(train.labels[:5000] == 1)
assert leaky[0][0] == leaky[1][0] == 0
assert leaky[1][1] > 0.88
assert shaken[0.1][1][0] == 0
assert 25 <= shaken[1.0][0][0] <= 36
assert shaken[1.0][1][0] >= shaken[1.0][0][0]
assert shaken[1.0][1][1] > 0.92
assert shaken[2.0][1][0] >= 50

assert lessons.forward_propagation(X, models["wrong_mask"])[1]["A1"].max() == 0

# 6: learning rates
assert 0.1 < best < 0.6
assert range_losses[0] > 2.2
assert min(range_losses) < 0.9
assert 1 < rates[np.flatnonzero(np.array(range_losses) < np.log(10))[-1] + 1] < 2
assert range_losses[-1] > 100
assert "nan" in str(diverged)

# 7: the list
assert abs(first_losses[0] - np.log(10)) < 0.001
assert 2.3 < first_losses[1] < 2.5
assert abs(first_losses[2] - 165) < 1
assert round(100 * baseline, 2) == 11.35
assert ten.history[-1].accuracy == 1
assert ten.history[-1].loss < 0.01
assert last_check.ok
assert all(5e-3 < size < 2e-2 for size in sizes[0])
assert all(5e-4 < size < 5e-3 for size in sizes[1])
assert state(network, later)[0] == 0
assert rolled.history[-1].loss > 2.28
assert rolled.history[-1].accuracy < 0.15
assert deeper["sabotaged"] > deeper["backward_propagation"] - 0.01
