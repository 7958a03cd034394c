"""Training in many processes, or on many devices, with the same numbers as in one; names as in `keras.distribution`.

`mpiexec -n 4 python train.py` runs a script in four processes. With one line in the script,

    portanet.distribution.set_distribution(portanet.distribution.DataParallel())

or with the environment variable `PORTANET_DISTRIBUTION=mpi` and none, each of them computes a part of each batch. See
docs/distribution.md.
"""

from portanet.distribution.devices import DeviceMesh, get_device_count, list_devices
from portanet.distribution.downpour import Downpour
from portanet.distribution.hogwild import Hogwild
from portanet.distribution.job import initialize
from portanet.distribution.local import EASGD, LocalSGD
from portanet.distribution.strategy import DataParallel, distribution, set_distribution

__all__ = [
    "EASGD",
    "DataParallel",
    "DeviceMesh",
    "Downpour",
    "Hogwild",
    "LocalSGD",
    "distribution",
    "get_device_count",
    "initialize",
    "list_devices",
    "set_distribution",
]
