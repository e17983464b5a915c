"""What lesson 1 says."""

assert head.hex(" ").startswith("00 00 08 03")
assert "[2051, 60000, 28, 28]" in printed
assert train.images.shape == (60000, 28, 28)
assert test.images.shape == (10000, 28, 28)
assert train.images.dtype == test.images.dtype == "uint8"
assert (counts[1], counts[5]) == (6742, 5421) == (counts.max(), counts.min())
assert train.labels[0] == 5
assert train.images[0, 5:15, 10:22].max() == 255

# pixels
assert never.sum() == 67
assert 0.805 < zeros < 0.815
assert test.images[:, never].max() > 0
assert np.array_equal(np.flatnonzero(never.any(axis=1))[[0, -1]], [0, 27])

# remembering is not learning
assert np.mean(recall(train.images) == train.labels) == 1
assert np.mean(recall(test.images) == test.labels) == 0

# bytes, rows, one-hot
assert "[ 44  33] [32  4]" in printed or "[44 33] [32  4]" in printed
assert np.array_equal(scaled(train.images[:1], "float64")[0], image.reshape(784) / 255)
assert Y.shape == (20, 10)
assert (Y.sum(axis=1) == 1).all()
assert "z = 0.10" in printed

# the neuron that looks for a 3
assert (y_test[18], y_test[3]) == (3, 0)
assert X_test[18] @ w > 5 > X_test[3] @ w
assert w.max() < 0.5
assert w.min() > -0.5
assert abs(yes[is_3].mean() - 0.894) < 0.001
assert abs(yes[~is_3].mean() - 0.106) < 0.001
assert abs(np.mean(yes == is_3) - 0.894) < 0.001 < np.mean(~is_3) - np.mean(yes == is_3)
assert abs(np.mean(~is_3) - 0.899) < 1e-9
assert np.all(np.diff(found) >= 0)
assert np.all(np.diff(alarms) >= 0)
assert not any(f == 1 and a == 0 for f, a in zip(found, alarms, strict=True))
assert abs(share[5] - 0.41) < 0.01
assert abs(share[8] - 0.28) < 0.01
assert abs(share[2] - 0.21) < 0.01
assert max(share[4], share[6], share[7]) < 0.01

# layers
assert "[[0.1 0.2]" in printed or "[[ 0.1  0.2]" in printed

# ten templates
assert abs(np.mean(predicted == y_test) - 0.8171) < 0.001
assert abs(np.mean(without == y_test) - 0.6318) < 0.001
assert np.bincount(without, minlength=10).argmin() == 5
assert np.bincount(without, minlength=10)[5] == 0
assert set(np.argsort(-np.bincount(without, minlength=10))[:2]) == {0, 8}
assert abs(np.mean(y_test == 1) - 0.1135) < 1e-9
off = confusion - np.diag(np.diag(confusion))
assert {divmod(int(i), 10) for i in np.argsort(-off.ravel())[:4]} == {(5, 3), (4, 9), (9, 4), (8, 3)}
assert np.argsort(confusion.diagonal() / confusion.sum(axis=1))[:3].tolist() == [5, 8, 2]

# ten trained neurons
assert 0.912 < learned.test[1] < 0.922
assert sum(p.size for layer in learned.model.params for p in layer.values()) == 7850

# sizes
assert sum(p.size for layer in network.initialize(seed=0) for p in layer.values()) == 101770
assert abs(np.mean(nearest == y_test) - 0.8203) < 0.001
