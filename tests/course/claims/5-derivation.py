import itertools

# 2: the chain rule on net_j, against finite differences
assert np.abs(slopes("W1") - delta1 * x).max() < 1e-8
assert np.abs(slopes("W2") - delta2 * forward(params, x)[2]).max() < 1e-8
assert abs(E - 1.2363) < 5e-5

# 3: softmax and cross-entropy, line by line; the squared error
assert np.abs(np.array(lines) - lines[-1]).max() < 1e-8
assert np.abs(J - (np.diag(o) - np.outer(o, o))).max() < 1e-9
assert np.all(np.diag(J) > 0)
assert np.all(J[~np.eye(3, dtype=bool)] < 0)
assert np.abs(J.sum(axis=0)).max() < 1e-8
assert (o - y)[1] < 0 < min((o - y)[0], (o - y)[2])
assert abs((o - y).sum()) < 1e-12
assert entropy[0] < -0.999
assert -0.001 < squared[0] < 0

# 4: with + the loss rises, with − it falls; on digits as well, up to what the bound on probabilities allows
assert len(after[+1]) == len(after[-1]) == 30
assert "+1   E: 1.2363 -> 1.4400\n-1   E: 1.2363 -> 1.0491" in printed
assert after[+1][0] == after[-1][0]
assert 14.3 < after[+1][-1] < 14.9 < -np.log(1e-7) < 16.2
assert after[-1][-1] < 0.5
assert all(later <= earlier for earlier, later in itertools.pairwise(after[-1]))

# 5: the hidden unit, and the derivative of tanh
assert np.abs(measured - (1 - np.tanh(z) ** 2)).max() < 1e-9
assert 1 - np.tanh(3.0) ** 2 < 0.01
assert terms.shape == (3, 2)
assert np.abs(back * (1 - np.tanh((x @ params["W1"].T + params["b1"].T)[0]) ** 2) - delta1[:, 0]).max() < 1e-8

# 6: the same numbers, transposed
for name in ("W1", "W2"):
    assert theirs[name].T.shape == step[f"d{name}"].shape
assert "W1 (132, 784) (784, 132)" in printed
assert "(P - Y) / m | dZ2 @ W2.T | dA1 * (1 - A1 ** 2)" in printed
again = backward(theirs, forward(theirs, X[:5]), Y[:5], X[:5])
assert all(np.abs(again[name].T - step[f"d{name}"].value).max() < 1e-12 for name in ("W1", "W2"))

# 7: the document's network: one epoch by hand, ten by the recipe
assert len(measures) == 469
assert len(train) - 468 * 128 == 96
assert abs(first_loss - 0.8317) < 0.03
assert abs(first_accuracy - 74.80) < 1
history = result.history
assert len(history) == 10
assert 0.80 < history[0].loss < 0.88
assert 0.21 < history[-1].loss < 0.22
assert all(b.loss < a.loss and b.accuracy > a.accuracy for a, b in itertools.pairwise(history))
assert 0.928 < result.test[1] < 0.937
assert np.isnan(naive[0, 0])
assert np.exp(709.78) < np.inf
assert np.allclose(softmax(large), [[0.8808, 0.1192, 0]], atol=1e-4)
assert -np.log(1 + 1e-8) < 0
assert abs(-np.log(1e-8) - 18.42) < 0.005
assert abs(-np.log(1e-20 + 1e-8) + np.log(1e-10 + 1e-8)) < 0.02

# 8: a pickle runs what it names; what is saved is what is read
assert pickle.loads(content) == 6
assert "trap.pkl" in printed
assert "sum" in printed
assert not Path("trap.pkl").exists()
assert set(reloaded) == {"W1", "b1", "W2", "b2"}
assert all(np.array_equal(reloaded[name], trained[name]) for name in trained)
assert abs(np.mean(P_test.argmax(axis=1) == test.labels) - result.test[1]) < 0.0005
assert P_test[index].argmax() == test.labels[index]

# 9: saturation, and what lifts the network from 93 to 98
lengths = np.sqrt((X**2).sum(axis=1)).mean()
assert abs(lengths - 9.2) < 0.1
assert abs(0.3 * lengths - 2.8) < 0.05
assert abs(pasapas.Xavier().scale(784, 132) - 0.047) < 0.0005
normal, xavier = states
assert abs(normal[0] - 2.84) < 0.1
assert 0.45 < normal[1] < 0.55
assert normal[3] < 0.1
assert normal[4] > 3.5
assert xavier[0] < 0.5
assert xavier[1] < 0.01
assert xavier[2] > 0.8
assert abs(xavier[4] - np.log(10)) < 0.2
document, shuffled, initialised, faster, together, momentum = scores
assert abs(shuffled - document) < 0.005
assert 0.01 < initialised - document < 0.025
assert faster - document > 0.035
assert faster > initialised
assert together > max(shuffled, initialised, faster)
assert momentum > together
assert best.test[1] > 0.9775
assert len(best.history) == 10
assert best.model.network.sizes == [784, 132, 10]
