"""Run notebooks and miss no message of their kernels."""

import asyncio
import time
import uuid
from typing import Any

import zmq
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError
from traitlets import Instance

from tools.forks import ForkProvisioner, Forks

__all__ = ["Client"]

# How long a kernel at rest may leave a cell unanswered until it is asked for a sign of life, in seconds.
PATIENCE = 2.0


class Client(NotebookClient):
    """Runs a notebook's cells, each as soon as the one before it is answered.

    A ZeroMQ socket wakes who waits for it once for a message, and whatever else is done with the socket
    meanwhile takes that away. nbclient tells a kernel what an Output widget shows, and so does every
    `interactive`, on the socket on which it waits for the cell's reply: a reply that comes at that moment
    lay there, with the kernel at rest, until the cell's time was out. So the sockets are looked at once a
    second. Kernels lose requests in the same way (ipykernel 7 before 7.4), and read them when the next
    message comes; so one that is at rest though a cell waits is sent another.
    """

    forks: Forks | None = Instance(Forks, allow_none=True)  # type: ignore[assignment]
    """What its kernels are forked from; without it each starts an interpreter."""

    def create_kernel_manager(self) -> KernelManager:
        """Make what starts the kernel and ends it."""
        manager = super().create_kernel_manager()
        if self.forks is not None:
            manager.kernel_id = str(uuid.uuid4())
            manager.provisioner = ForkProvisioner(
                self.forks, kernel_id=manager.kernel_id, kernel_spec=manager.kernel_spec, parent=manager
            )
        return manager

    async def async_execute_cell(self, *arguments: Any, **options: Any) -> Any:
        """Run a cell as nbclient does, and know since when the kernel owes an answer."""
        self._rests()
        return await super().async_execute_cell(*arguments, **options)

    def process_message(self, msg: dict[str, Any], *arguments: Any) -> Any:
        """Take what the kernel says as nbclient does, and know whether it works."""
        if msg["msg_type"] == "status":
            self._rests()
            self._working = msg["content"]["execution_state"] == "busy"
        return super().process_message(msg, *arguments)

    def _rests(self) -> None:
        self._working, self._since = False, time.monotonic()

    async def _async_poll_kernel_alive(self) -> None:
        """Look once a second, as nbclient does, whether the kernel is there, and whether it has spoken."""
        while True:
            await asyncio.sleep(1)
            try:
                await self._async_check_alive()
            except DeadKernelError:
                assert self.task_poll_for_reply is not None
                self.task_poll_for_reply.cancel()
                return
            assert self.kc is not None
            if not self._working and time.monotonic() > self._since + PATIENCE:
                self.kc.kernel_info()
                self._rests()
            for channel in (self.kc.shell_channel, self.kc.iopub_channel):
                channel.socket.get(zmq.EVENTS)  # pyzmq wakes who waits if there is something
