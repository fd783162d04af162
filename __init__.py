"""UVAPM for Blender: the extension root forwards to the add-on."""

from .uvapm_blender import register as register
from .uvapm_blender import unregister as unregister
