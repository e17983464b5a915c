"""What lesson 7 says of its figures. Training in float32 differs a little between machines: the margins are wide."""

assert len(data) == 10_000
assert len(few) == 3_000
assert len(held) == 10_000

# 1: momentum
assert heavy < without / 100  # the loss in the valley
assert abs(speeds[0] - 10) < 0.1
assert abs(speeds[1] - 1 / 1.9) < 0.01
assert all(abs(value - 2) < 1e-9 for value in corrected)
assert 3.1 < too_long[1] < 3.2
assert 6 < too_long[10] < 7
assert 3 < too_long[100] < 3.3
assert 1 < too_long[1000] < 1.3
assert np.allclose(np.abs(first_step), 0.01, atol=1e-5)
assert np.array_equal(np.sign(first_step), [-1, 1, -1])

# the race: in three epochs momentum and Adam are below SGD in five; momentum and Adam end close to each other
losses = {name: [epoch.loss for epoch in race[name, best[name]].history] for name in rates}
assert losses["momentum"][2] < losses["sgd"][-1]
assert losses["adam"][2] < losses["sgd"][-1]
ends = {name: scores[name, best[name]] for name in rates}
assert abs(ends["momentum"] - ends["adam"]) < 0.01
assert min(ends["momentum"], ends["adam"]) > ends["sgd"] + 0.01
# a bad rate costs more than a bad optimizer
worst = {name: min(scores[name, rate] for rate in rates[name]) for name in rates}
assert worst["sgd"] < ends["sgd"] - 0.02
assert ends["sgd"] - worst["sgd"] > max(ends.values()) - ends["sgd"]

# calm at the end
last_three = {name: float(np.mean(values[-3:])) for name, values in calm.items()}
assert last_three["cosine"] > last_three["constant"] + 0.003
assert last_three["averaging"] > last_three["constant"] + 0.002

# 2: learnt by heart
history = by_heart.history
assert sum(p["W"].size + p["b"].size for p in by_heart.model.params if p) > 200_000
assert history[-1].accuracy > 0.999
assert history[-1].validation_accuracy < 0.95
lowest = min(history, key=lambda epoch: epoch.validation_loss)
assert history[-1].loss < 0.02
assert 5 <= lowest.epoch <= 16
assert history[-1].validation_loss > lowest.validation_loss + 0.001
assert l2_error < 1e-15
assert bias_error == 0
assert np.allclose(mean, A, atol=0.03)
accuracies = {name: pairs[:, 1] for name, pairs in measured.items()}
validation_losses = {name: pairs[:, 0].mean() for name, pairs in measured.items()}
gain = {name: float(values.mean() - accuracies["-"].mean()) for name, values in accuracies.items()}
assert validation_losses["l2 = 0.001"] < validation_losses["-"] - 0.01
assert abs(gain["l2 = 0.001"]) < 0.005
assert 0.002 < gain["dropout = 0.5"] < 0.012
assert gain["label_smoothing = 0.1"] > 0.009
assert max(validation_losses, key=validation_losses.get) == "label_smoothing = 0.1"

# 3: deformations
assert 0.87 < deformed.history[-1].accuracy < 0.93
assert accuracy(deformed.model) > accuracy(still.model) + 0.03
assert accuracy(deformed.model) > accuracy(more.model) + 0.003
at = before[1].disturbance.strengths.index(20)
assert before[1].accuracy[at] < after[1].accuracy[at] - 0.08
assert 0.25 < before[0].accuracy[2] < 0.42
assert after[0].accuracy[2] > 0.8
assert after[0].accuracy[3] < after[0].accuracy[0] - 0.2

# 4: depth
shallow, wide, two = deep[(128,), 0.1], deep[(512,), 0.1], deep[(256, 256), 0.1]
assert two > wide
assert wide > shallow
eight, eight_slow = deep[(128,) * 8, 0.1], deep[(128,) * 8, 0.03]
assert eight < shallow
assert eight < eight_slow < two
assert abs(start[0.1] - np.log(10)) < 0.02
assert 0.02 < start[1.0] - start[0.1] < 0.3
assert start[5.0] > 3

# 5: noise, and the one look at the test images
assert abs(noise[10_000] - 0.17) < 0.01
assert min(final) > 0.96
assert abs(final[0] - final[1]) < 0.012
