"""`pasapas train --members`: several networks by one recipe, one after the other, and the committee they make."""

from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from pasapas import runs, training
from pasapas.backends.distributed import World
from pasapas.cli.terminal import print_json, say
from pasapas.cli.train import Order, agreed, find_recipe, folder_for, limited, show_next, terminal_for, train_in
from pasapas.errors import Diverged, PasapasError
from pasapas.files import make_folder
from pasapas.i18n import _, integer, ngettext, number, percent
from pasapas.models import Committee
from pasapas.recipes import Recipe, load_recipe


@dataclass(frozen=True)
class Trained:
    """The networks that training gave, each with its recipe. Only the last one may be interrupted."""

    folder: Path
    base: Recipe
    wanted: int
    networks: list[tuple[Recipe, training.Result]]

    @property
    def stopped(self) -> str:
        """Why training ended: "finished" or "interrupted"."""
        return (
            "interrupted" if any(result.stopped == "interrupted" for _recipe, result in self.networks) else "finished"
        )

    @property
    def members(self) -> list[tuple[Recipe, training.Result]]:
        """Those that make the committee: all that are finished, or the first one as it stands where none is."""
        return [
            (recipe, result) for recipe, result in self.networks if result.stopped != "interrupted"
        ] or self.networks

    def committee(self) -> Committee:
        """The committee of the `members`."""
        return Committee([runs.finished(*member) for member in self.members], {"recipe": self.base.as_dict()})


def carry_out(order: Order, asked: int | None, there: int | None) -> int:
    """Trains a new committee of `asked` networks, or goes on with one of `there`, in the folder to resume."""
    if order.distributed:
        raise PasapasError(
            _(
                "A committee is trained on one device, not --distributed: train its members one by one, each with its --seed."
            )
        )
    if order.resume is not None and asked not in (None, there):
        raise PasapasError(
            _("The run in '{folder}' trains {there}, not {asked}: leave out --members.").format(
                folder=order.resume,
                there=ngettext("{n} network", "{n} networks", there or 1).format(n=there or 1),
                asked=asked,
            )
        )
    terminal = terminal_for(order)
    base, n = recipe_of(order), asked or there or 1
    recipes = [base.replace(seed=base.seed + k) for k in range(n)]
    splits = training.mnist_splits(base)
    training.check(base.network(), base, splits)
    folder = folder_for(order, World())
    with limited(order.cores or (runs.threads_of(folder) if order.resume else None)) as used:
        about = {"recipe": order.recipe or "default", "threads": used}
        if order.resume is None:
            runs.start_run(folder, base, {**about, "members": n})
        else:
            runs.keep_recipe(folder, base)
        trained = Trained(folder, base, n, [])
        for k, recipe in enumerate(recipes, 1):
            own = make_folder(runs.member_folder(folder, k))
            say(terminal, _("\n[bold]Network {k} of {n}[/]"), k=k, n=n)
            try:
                result = train_member(own, recipe, splits, terminal, about, order.resume is not None)
            except Diverged as error:
                if not trained.networks:
                    raise
                trained.committee().save(folder / runs.MODEL)
                raise Diverged(
                    f"{error} " + _("The networks before it are a committee in {folder}.").format(folder=folder)
                ) from None
            trained.networks.append((recipe, result))
            if result.stopped == "interrupted":
                break
        committee = trained.committee()
        committee.save(folder / runs.MODEL)
        assert splits.test is not None  # MNIST has test images
        test = committee.evaluate(splits.test.images, splits.test.labels)
        summary = runs.committee_summary(folder, trained.members, test, trained.stopped)
        runs.write_history(folder, summary)
        if order.figures:
            with terminal.status(_("Drawing …")):
                runs.draw_committee(folder, committee, splits.test.images, splits.test.labels)
    report(terminal, trained, test)
    if order.json:
        print_json(summary)
    return 130 if trained.stopped == "interrupted" else 0


def recipe_of(order: Order) -> Recipe:
    """The recipe of the first member. Raises PasapasError where the committee to resume began with another one."""
    if order.chosen is not None:
        return order.chosen
    assert order.resume is not None
    old = load_recipe(order.resume / runs.RECIPE)
    return agreed(order.resume, old, (find_recipe(order.recipe) if order.recipe else old).replace(**order.changes))


def train_member(
    folder: Path, recipe: Recipe, splits: training.Splits, terminal: Console, about: dict[str, object], resume: bool
) -> training.Result:
    """Trains one member in its own run folder, or what is left of its training there."""
    progress = None
    if resume and (folder / runs.RECIPE).exists():
        old, progress = runs.load_checkpoint(folder)
        agreed(folder, old, recipe)
        runs.keep_recipe(folder, recipe)
        if training.reason_to_stop(recipe, progress):
            say(terminal, _("Trained already."))
            terminal = Console(quiet=True)
    else:
        runs.start_run(folder, recipe, about)
    result = train_in(folder, recipe, splits, progress, terminal, World(), False)
    runs.write_result(folder, recipe, result)
    return result


def report(terminal: Console, trained: Trained, test: tuple[float, float]) -> None:
    """How training ended, how good the members are alone and together, and what can be done with the committee."""
    n = len(trained.members)
    if trained.stopped == "interrupted":
        done = n if trained.members is not trained.networks else 0
        what = (
            ngettext(
                "the committee has the one that is finished.", "the committee has the {n} that are finished.", done
            ).format(n=done)
            if done
            else _("what it learned so far is saved.")
        )
        say(
            terminal,
            _("Interrupted in network {k} of {n}: {what}"),
            k=len(trained.networks),
            n=trained.wanted,
            what=what,
        )
    say(
        terminal,
        _(
            "\n[bold]Test accuracy {accuracy}[/] on {images} images never seen in training (loss {loss}), after {seconds} s."
        ),
        accuracy=percent(test[1]),
        images=integer(trained.base.test_images),
        loss=number(test[0]),
        seconds=number(sum(result.seconds for _recipe, result in trained.networks), 1),
    )
    alone = [result.test[1] for _recipe, result in trained.members if result.test]
    if n > 1:
        say(
            terminal,
            _(
                "That is all {n} together; alone they have {lowest} at the lowest, {mean} on average, {highest} at the highest."
            ),
            n=n,
            lowest=percent(min(alone)),
            mean=percent(sum(alone) / len(alone)),
            highest=percent(max(alone)),
        )
    show_next(terminal, trained.folder, trained.stopped)
    say(terminal, _("Look into one:      pasapas explain {folder}"), folder=runs.member_folder(trained.folder, 1))
