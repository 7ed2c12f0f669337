"""main.py of a simulated board that lacks a piece of its heap for each start but the first, until it restarts (see test_whole_heap_on_vm).

Its MicroPython takes more memory from the host when its heap is full, so the lack is made here.
"""


def main():
    """The agent's loop."""
    from mpwasm.agent import supervisor
    from mpwasm.wasi import host

    agent = supervisor.Supervisor("", 0)
    real = host.Host

    def short(*arguments):
        if agent.updater.running and not agent.updater.life:
            raise MemoryError("memory allocation failed, allocating 8192 bytes")
        return real(*arguments)

    host.Host = short
    agent.boot()
    while True:
        agent.link.transport.wait(min(agent.turn(), 100))


main()
