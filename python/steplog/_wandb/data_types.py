"""Types of values."""

import sys

from steplog import Audio as Audio
from steplog import Classes as Classes
from steplog import Histogram as Histogram
from steplog import Html as Html
from steplog import Image as Image
from steplog import JoinedTable as JoinedTable
from steplog import Molecule as Molecule
from steplog import Object3D as Object3D
from steplog import Table as Table
from steplog import Video as Video
from steplog import _wandb_absent

# The very classes of the module, so that `isinstance` answers alike.
_module = sys.modules[__name__.rpartition(".")[0]]
globals().update({name: getattr(_module, name) for name in _wandb_absent.CLASSES})
