"""`pasapas recipes`."""

from collections.abc import Callable
from typing import Annotated, Any

import typer
from rich.text import Text

from pasapas.cli.options import NO_VALUE, Json, Lang
from pasapas.cli.terminal import console, print_json, say, table, wrapped
from pasapas.cli.train import find_recipe
from pasapas.i18n import _
from pasapas.recipes import FIELDS, Recipe, recipe_names
from pasapas.recipes.definition import as_text, description


def command() -> Callable[..., Any]:
    """The command."""

    def recipes(
        name: Annotated[str | None, typer.Argument(metavar=_("[NAME|FILE]"), help=_("The recipe to explain."))] = None,
        toml: Annotated[
            bool, typer.Option("--toml", metavar=NO_VALUE, help=_("Print it as TOML, to begin one of your own with."))
        ] = False,
        json: Json() = False,  # type: ignore[valid-type]
        lang: Lang() = None,  # type: ignore[valid-type]
    ) -> None:
        if name is None and not toml:
            listing(json)
            return
        recipe = find_recipe(name)
        if json:
            print_json(recipe.as_dict())
        elif toml:
            typer.echo(recipe.to_toml(), nl=False)
        else:
            explain(name or "default", recipe)

    return recipes


def listing(json: bool) -> None:
    """All recipes of the package, with what they are for."""
    recipes = {name: find_recipe(name) for name in recipe_names()}
    if json:
        print_json({name: {"description": description(name), **recipe.as_dict()} for name, recipe in recipes.items()})
        return
    grid = table(_("Recipe"), _("Network"), _("Epochs"), _("What it is for"))
    for column in grid.columns[1:]:
        column.justify = "left"
    terminal = console()
    sizes = {name: "-".join(map(str, recipe.sizes)) for name, recipe in recipes.items()}
    width = terminal.width - max(map(len, recipes)) - max(map(len, sizes.values())) - 16
    for name, recipe in recipes.items():
        grid.add_row(Text(name, "bold cyan"), sizes[name], str(recipe.epochs), wrapped(description(name), width))
    terminal.print(grid)
    say(
        terminal,
        _(
            "\nExplain one:    pasapas recipes default\nTrain by one:   pasapas train --recipe default\nBegin your own: pasapas recipes default --toml > mine.toml"
        ),
    )


def explain(name: str, recipe: Recipe) -> None:
    """Every field of one recipe: its value, and what it means."""
    terminal = console()
    if name in recipe_names():
        say(terminal, _("[bold]{name}[/]: {description}"), name=name, description=description(name))
    group = ""
    grid = table("", "", "")
    plain = Recipe()
    for field, about in FIELDS.items():
        meaning = about.metadata["help"]
        if about.metadata["group"] != group:
            if group:
                terminal.print(grid)
            group = about.metadata["group"]
            grid = table(_("Field"), _("Value"), _("Meaning"), title="\n" + _(group))
            grid.columns[0].width, grid.columns[1].width = 18, 18
            for column in grid.columns:
                column.justify = "left"
        value = getattr(recipe, field)
        style = "" if value == getattr(plain, field) else "bold cyan"
        grid.add_row(field, Text(as_text(value), style), wrapped(_(meaning), terminal.width - 40))
    terminal.print(grid)
    say(
        terminal,
        _(
            "\nIn colour: what differs from a recipe that says nothing. Each field is also an option of 'pasapas train'."
        ),
    )
