"""What the text of lesson 4 says, asserted in the notebook's own namespace."""

import re
from itertools import pairwise

# 1. layers by hand, backward, one step, a layer of one's own
assert "Y = [[1.5]]   dW = [2. 4.]   db = [2.]   dX = [[ 6. -2.]]" in printed
assert np.abs(dW1 - gradients[0]["W"]).max() < 1e-16
assert np.abs(dW2 - gradients[2]["W"]).max() < 1e-16
steps = [float(line[4:]) for line in printed.splitlines() if line.startswith("L = ")]
assert len(steps) == 6
assert all(after < before for before, after in pairwise(steps))
assert checked.ok
assert own.history[-1].accuracy > 0.9

# 2. mini-batches
assert 75 < angles[1] < 90
assert angles[100] < 45
assert 10 < angles[1000] < 18
assert 2 < angles[100] / angles[1000] < 4
assert -(-len(training) // 128) == 430
assert len(training) % 128 == 88

# shuffling
assert shuffled[True].history[-1].validation_accuracy > 0.88
assert shuffled[False].history[-1].validation_accuracy < 0.3
assert 0.8 < shuffled[False].history[-1].accuracy < 0.9
assert np.mean(shuffled[False].model.predict(validation.images) == 9) > 0.7

# the best of a thousand guessers
assert right[best, :100].mean() >= 0.2
assert 0.085 < right[best, 100:].mean() < 0.115

# training, too small, too few images
history = result.history
assert [epoch.epoch for epoch in history] == [1, 2, 3, 4, 5]
assert sum(epoch.seconds for epoch in history) > 0
assert history[0].validation_loss < history[0].loss
assert history[-1].loss < history[-1].validation_loss + 0.01
assert history[-1].validation_accuracy > 0.97
assert over.history[-1].accuracy == 1
assert over.history[-1].loss < 0.02
lowest = min(over.history, key=lambda epoch: epoch.validation_loss)
assert 5 <= lowest.epoch <= 14
assert over.history[-1].validation_loss > lowest.validation_loss + 0.02
assert abs(over.history[-1].validation_accuracy - lowest.validation_accuracy) < 0.015
(small_seen, small_unseen), (seen_all, unseen_all), (seen_few, unseen_few) = (
    measured["4", 55000],
    measured["128", 55000],
    measured["128", 1000],
)
assert small_seen[1] < 0.9
assert abs(small_seen[1] - small_unseen[1]) < 0.04
assert seen_all[1] - unseen_all[1] < 0.015
assert seen_few[1] == 1
assert unseen_few[1] < 0.93
assert len(stopped.history) < 25
assert kept < over.history[-1].validation_loss - 0.02

# 3. the test images
assert 0.97 < accuracy < 0.98
assert f"{accuracy:.2%} ± 0.1" in printed
assert len(missed) < 300
assert C.sum() == 10000
assert C.trace() == np.sum(predicted == test.labels)
assert off_diagonal.max() == C[7, 2]
assert C[2, 7] < C[7, 2] / 2
looked = look_at(model, strongest(model), test)
assert {int(k) for k in np.argsort(-looked.likes)[:2]} == {3, 5}
assert looked.likes[[2, 6]].max() < looked.likes[[3, 5]].min() / 4
assert ours.error < 0.015
assert theirs.error > 0.03
filled = theirs.counts > 100
assert np.all(theirs.accuracy[filled] < theirs.confidence[filled])
assert T > 1.2
assert cooled.error < theirs.error / 3
assert np.array_equal(P_cooled.argmax(axis=1), P_over.argmax(axis=1))
assert found.coverage[0] > 0.9
assert 3 < (1 - accuracy) / (1 - found.accuracy[0]) < 6

# 4. batch size and learning rate: the diagonals, the valleys, and what is too much
for near, expected in [
    ([(64, 0.01), (256, 0.04), (1024, 0.16)], 1.25),
    ([(256, 0.01), (1024, 0.04)], 2.02),
    ([(16, 0.01), (64, 0.04)], 0.505),
]:
    assert all(abs(losses[place] - expected) < 0.03 for place in near)
assert losses[256, 0.16] > 0.6
assert losses[1024, 0.64] > 0.6
assert all(losses[m, 2.56] > 1.9 for m in sizes)
assert all(min(losses[m, rate] for rate in rates[1:4]) < losses[m, 0.01] for m in sizes)
hidden = pasapas.forward(network.layers, run.model.params, scaled(judges.images, "float32"))[2]
assert run.model.evaluate(judges.images, judges.labels)[0] == losses[1024, 2.56]
assert (hidden == 0).all(axis=0).mean() > 0.5
assert re.search(r"(La perte est devenue|The loss became) (inf|nan)", printed)

# 5. saved and loaded
assert np.abs(again.probabilities(test.images) - P).max() == 0
assert "\n42\n" in printed
