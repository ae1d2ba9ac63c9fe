"""What ``--format`` takes, on every command that has it."""

import click
import pytest

from streamer.cli import cli


@pytest.mark.parametrize("command", ["listen", "report", "classify"])
@pytest.mark.parametrize("name", ["auto", "har", "sensor-logger", "sensorspot", "phyphox"])
def test_formats_are_named_as_the_documentation_names_them(command: str, name: str) -> None:
    (option,) = [each for each in cli.commands[command].params if each.name == "format_name"]
    context = click.Context(cli.commands[command])
    assert option.type.convert(name, option, context) == name
    with pytest.raises(click.BadParameter, match="sensor-logger"):
        option.type.convert("SENSOR_LOGGER", option, context)
