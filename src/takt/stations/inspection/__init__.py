"""`inspection`: an inspector with a camera on the head says of each fixture of the nut cell whether it may go on."""

import takt.stations.nutcell as nutcell  # noqa: F401  # chooses how MuJoCo draws, before MuJoCo is imported
