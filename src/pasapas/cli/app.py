"""Puts the commands together, and says in the reader's language what typer says in English."""

import re
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer import rich_utils
from typer.core import TyperCommand, TyperGroup

from pasapas.cli.options import NO_VALUE, Lang
from pasapas.cli.terminal import complain
from pasapas.errors import Diverged, PasapasError, nearest
from pasapas.i18n import _


class _Translated:
    """What typer writes in English in the help of a command or group."""

    def format_usage(self, ctx: Any, formatter: Any) -> None:
        pieces = self.collect_usage_pieces(ctx)  # type: ignore[attr-defined]
        formatter.write_usage(ctx.command_path, " ".join(pieces), prefix=_("Usage: "))

    def get_help_option(self, ctx: Any) -> Any:
        option = super().get_help_option(ctx)  # type: ignore[misc]
        if option is not None:
            option.help = _("Show this help and stop.")
            option.metavar = NO_VALUE
        return option


class _Command(_Translated, TyperCommand):
    pass


class _Group(_Translated, TyperGroup):
    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            raise PasapasError(
                _("There is no command '{name}'; 'pasapas --help' lists them.").format(name=args[0])
                + nearest(args[0], self.commands)
            )
        return super().resolve_command(ctx, args)


def build() -> typer.Typer:
    """The application with its help in the language spoken now."""
    from pasapas.cli import (
        check,
        course,
        data,
        evaluate,
        explain,
        lab,
        mistakes,
        predict,
        recipes,
        sabotage,
        search,
        show,
        train,
    )

    rich_utils.ARGUMENTS_PANEL_TITLE = _("Arguments")
    rich_utils.OPTIONS_PANEL_TITLE = _("Options")
    rich_utils.COMMANDS_PANEL_TITLE = _("Commands")
    app = typer.Typer(
        cls=_Group,
        add_completion=False,
        pretty_exceptions_enable=False,
        options_metavar=_("[OPTIONS]"),
        subcommand_metavar=_("COMMAND …"),
        context_settings={"help_option_names": ["--help", "-h"]},
    )

    def show_version(wanted: bool) -> None:
        if wanted:
            typer.echo(f"pasapas {version('pasapas')}")
            raise typer.Exit

    @app.callback(
        invoke_without_command=True,
        help=_("A laboratory for backpropagation, step by step: train, evaluate and question small networks."),
    )
    def pasapas(
        context: typer.Context,
        show: Annotated[
            bool,
            typer.Option(
                "--version",
                metavar=NO_VALUE,
                callback=show_version,
                is_eager=True,
                help=_("Show the version and stop."),
            ),
        ] = False,
        lang: Lang() = None,  # type: ignore[valid-type]
    ) -> None:
        if context.invoked_subcommand is None:
            typer.echo(context.get_help())

    commands: list[tuple[str, Callable[..., Any], str]] = [
        ("train", train.command(), _("Train a network on the MNIST that ships with pasapas.")),
        ("evaluate", evaluate.command(), _("Measure a model on the 10,000 test images.")),
        ("predict", predict.command(), _("Ask a model what digit is in a picture, or in one of MNIST's test images.")),
        ("explain", explain.command(), _("Follow one training step through a network, number by number.")),
        ("recipes", recipes.command(), _("List the recipes, or explain one of them, field by field.")),
        ("search", search.command(), _("Search for good values of a recipe's fields, in many short trainings.")),
        ("data", data.command(), _("Show what is in MNIST: counts, samples, mean digits.")),
        ("show", show.command(), _("Draw the lesson's pictures: losses, descents, gradients, surfaces, units.")),
        ("course", course.command(), _("List the lessons of the course, copy them, open them in JupyterLab.")),
        ("lab", lab.command(), _("Open the lab: a page where one sees a network learn, number by number.")),
        ("check", check.command(), _("Say which mistake a program with backpropagation makes, or what a class makes.")),
        ("mistakes", mistakes.command(), _("List the mistakes of backpropagation, or explain one of them.")),
        ("sabotage", sabotage.command(), _("Get a program with one mistake hidden in it, and find it.")),
    ]
    for name, function, help in commands:
        app.command(name, cls=_Command, options_metavar=_("[OPTIONS]"), help=help)(function)
    return app


def run(arguments: Sequence[str]) -> int:
    """Runs one command; whatever is wrong with it becomes one sentence and an exit status."""
    try:
        result = build()(args=list(arguments), prog_name="pasapas", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except Diverged as error:
        return complain(error, 1)
    except PasapasError as error:
        return complain(error, 2)
    except (KeyboardInterrupt, typer.Abort):
        return complain(_("Interrupted."), 130)
    except MemoryError:
        return complain(_("There is not enough memory for this: choose smaller layers or fewer images."), 2)
    except Exception as error:
        if getattr(error, "exit_code", None) != 2:  # not one of typer's own about the arguments
            raise
        return complain(_usage_error(error, arguments), 2)


def _usage_error(error: Any, arguments: Sequence[str]) -> str:
    """What typer found wrong with the arguments, in the language spoken now."""
    context: Any = getattr(error, "ctx", None)
    # an option that lacks its value comes without a context
    given = "pasapas" if arguments[0].startswith("-") else f"pasapas {arguments[0]}"
    command = context.command_path if context else given
    option = getattr(error, "option_name", None)
    if option is not None and hasattr(error, "possibilities"):
        known = [name for param in context.command.params for name in (*param.opts, *param.secondary_opts)]
        sentence = _("'{command}' has no option '{option}'.").format(command=command, option=option)
        sentence += nearest(option, known)
    elif option is not None and "not take" in error.message:
        sentence = _("The option '{option}' takes no value.").format(option=option)
    elif option is not None:
        sentence = _("The option '{option}' needs a value.").format(option=option)
    elif getattr(error, "param", None) is not None:
        sentence = _("'{command}' needs {name}.").format(command=command, name=error.param.human_readable_name)
    elif match := re.match(r"Got unexpected extra arguments?.*? \((.*)\)", error.message):
        sentence = _("'{command}' does not know what to do with '{extra}'.").format(command=command, extra=match[1])
    else:
        sentence = error.message
    return sentence + " " + _("See '{command} --help'.").format(command=command)
