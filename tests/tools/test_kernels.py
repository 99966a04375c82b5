"""A cell is over as soon as its kernel has answered, whatever wakes nobody."""

import select

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.output_widget import OutputWidget

from tools.kernels import Client

SHOWN = "import ipywidgets\nout = ipywidgets.Output()\nwith out:\n    print(5)"
# From here on the kernel reads no message before the next one has come.
LAZY = """kernel, late = get_ipython().kernel, []


async def read(message):
    late.append(message)
    while len(late) > 1:
        await kernel.shell_channel_thread_main(late.pop(0))


kernel.shell_stream.on_recv(read, copy=False)
"""


def printed(client: type[NotebookClient], *sources: str) -> str:
    """Run a notebook of these cells, none of which has a limit of time; return what the last one prints."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    client(notebook, timeout=None).execute()
    return str(notebook.cells[-1].outputs[0]["text"])


@pytest.fixture
def crossing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What an output shows is sent to the kernel when the cell's reply has come, and not been read."""
    send = OutputWidget.send

    def late(self: OutputWidget, *arguments: object, **options: object) -> None:
        select.select([self.kernel_client.shell_channel.socket._fd], [], [], 11)
        send(self, *arguments, **options)

    monkeypatch.setattr(OutputWidget, "send", late)


@pytest.mark.timeout(120)
def test_a_reply_that_crosses_what_an_output_shows_is_read(crossing: None) -> None:
    assert printed(Client, SHOWN, "print(7)") == "7\n"


@pytest.mark.timeout(120)
def test_a_request_that_woke_nobody_is_read() -> None:
    assert printed(Client, LAZY, "print(7)") == "7\n"
