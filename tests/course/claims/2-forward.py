"""What lesson 2 says."""

# two linear layers are one
assert 100 < np.abs(two).max() < 10_000
assert np.abs(two - one).max() < 1e-10
assert corners.shape == (4, 2)
assert "1.,  1.,  0.,  1.,  0.,  1." in printed  # x = (1, ·): sums 1 and 0, output 1

# activations
assert 1 - np.tanh(4) ** 2 < 0.0014
assert np.array_equal(pasapas.ReLU().input_gradient({}, np.zeros(1), np.zeros(1), np.ones(1)), [0])

# softmax
assert "[ 2.718  7.389 20.086] 30.193" in printed
assert printed.count("[0.0900") + printed.count("[0.09 ") >= 2
assert printed.count("[0.090031 0.244728 0.665241]") == 4
assert printed.count("[nan nan nan]") == 2
assert "709.78" in printed
assert np.log(np.finfo("float32").max).round(1) == np.float32(88.7)
assert 1.7e308 < np.finfo("float64").max < 1.8e308

# one image through a network that knows nothing
assert (len(X_test), y_test[0], y_test[8], y_test[38]) == (10000, 7, 5, 2)
assert untrained[0].min() > 0.06
assert untrained[0].max() < 0.19
assert abs(trace["A1"].zeros - 0.54) < 0.006
assert all(
    np.abs(ours - trace[name].value).max() < 1e-12 for ours, name in zip(values, ("X", "Z1", "A1", "Z2"), strict=True)
)
assert "[0.0, 0.0, 0.0, 0.0]" in printed
assert [v.shape for v in batch] == [(6, 784), (6, 128), (6, 128), (6, 10)]
assert "[True, True, True, True]" in printed
assert abs(np.mean(answers == y_test) - 0.0987) < 0.0005
assert abs(np.mean(answers == 2) - 0.75) < 0.02
assert answers.shape == (10000,)

# the same network, trained
assert Z2[0].argmax() == 7
assert abs(Z2[0, 7] - 8.5) < 0.1
assert np.sort(Z2[0])[-2] < 3
assert learned[0, 7] > 0.99
assert learned[8].argmax() == 6
assert learned[8].max() > 0.9
assert abs(learned[38, 2] - 0.57) < 0.01
assert abs(learned[38, 3] - 0.21) < 0.01
assert abs(np.mean(learned.argmax(axis=1) == y_test) - 0.91) < 0.002
assert abs(untrained.max(axis=1).mean() - 0.20) < 0.005
assert abs(learned.max(axis=1).mean() - 0.87) < 0.006
assert abs(pushes.sum() - (Z2[0, 7] - model.params[2]["b"][7])) < 1e-9
assert abs(W1.std() - 0.05) < 0.005
assert abs(added.std() - 0.014) < 0.0005
assert look_at(model, int(best[0]), test).sums.min() < -1
assert np.sum(look_at(model, int(best[0]), test).likes > 0.2) > 1

# the logarithm of what was rounded to 0
assert "[[  0. -inf -inf]]" in printed
assert np.array_equal(pasapas.log_softmax(np.array([[1000.0, 0.0, -1000.0]])), [[0, -1000, -2000]])
