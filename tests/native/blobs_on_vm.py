"""What the VM of `test_same_blob` runs: a line for each module and architecture that /names lists."""

from blobs import digest

with open("/names") as file:
    for line in file.read().splitlines():
        name, architecture = line.split()
        print(line, digest("/" + name, int(architecture)))
