"""Answers that take their time, or must not be given twice: `vipd status`, and what waited in a queue."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from vrrp_playbook import config

from vipd.behaviour import PRESETS, SECOND_NS
from vipd.config import Config, SyncGroup
from vipd.control import Control
from vipd.groups import Group, regrouped
from vipd.lateness import Lateness
from vipd.packet import Advert
from vipd.router import Router, SendAdvert, SendGratuitousArp
from vipd.running import Running
from vipd.status import report
from vipd.table import State

KEEPALIVED = PRESETS["keepalived-2"]
