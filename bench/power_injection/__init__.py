"""Machines injected into real meters: how well the detectors find them, and how often they are wrong."""
