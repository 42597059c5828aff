"""A district's meters, made up from models of our own, and the truth beside them.

Examples
--------
>>> from headframe.simulate.meters import District, MetersSpec
>>> district = District(MetersSpec(points=20, days=3, prevalence=0.05), seed=7)
>>> sum(point.farm is not None for group in district.groups() for point in group.points)
1
"""

from headframe.simulate.meters.district import HOME, HYDRO, District, Group, MetersSpec, PlacedFarm, Point
from headframe.simulate.meters.files import NAMES, SimulatedMeters, write_meters
from headframe.simulate.meters.machines import Farm, Running
from headframe.simulate.meters.places import PLACES, Place

__all__ = [
    "HOME",
    "HYDRO",
    "NAMES",
    "PLACES",
    "District",
    "Farm",
    "Group",
    "MetersSpec",
    "Place",
    "PlacedFarm",
    "Point",
    "Running",
    "SimulatedMeters",
    "write_meters",
]
