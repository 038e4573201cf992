"""Catch as a Gymnasium environment; importing `dlsteps.game` registers it as "dlsteps/Catch-v0"."""

import gymnasium
import numpy as np

from dlsteps.game.catch import SIZE, Catch
from dlsteps.game.policies import TICKS


class CatchEnv(gymnasium.Env):
    """Catch without a window.

    Observation: Box(0, 255, (256, 256, 3), uint8), the RGB picture of the game. Action: Discrete(3), left, stay, right.
    Reward: +1 for a ball caught, -1 for a ball missed or a stone touched. A game never terminates; it is truncated
    after `max_ticks`. `info` holds tick, caught, missed, hit and landed.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 60}

    def __init__(self, level=1, theme="night", max_ticks=TICKS, render_mode="rgb_array"):
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise ValueError(f"unknown render_mode {render_mode!r}: choose 'rgb_array', or open a window with `play`")
        self.level, self.theme, self.max_ticks, self.render_mode = level, theme, max_ticks, render_mode
        self.observation_space = gymnasium.spaces.Box(0, 255, (SIZE, SIZE, 3), np.uint8)
        self.action_space = gymnasium.spaces.Discrete(3)
        self.game = Catch(0, level, theme)

    def reset(self, *, seed=None, options=None):
        """Start a game. With a `seed` it is the game `Catch(seed)`; without, a new one each time."""
        super().reset(seed=seed)
        if seed is None:
            seed = int(self.np_random.integers(2**31))
        self.game = Catch(seed, self.level, self.theme)
        return self.game.frame(), self._info()

    def step(self, action):
        reward = self.game.step(int(action))
        return self.game.frame(), reward, False, self.game.tick >= self.max_ticks, self._info()

    def render(self):
        return self.game.frame()

    def _info(self):
        game = self.game
        return {name: int(getattr(game, name)) for name in ("tick", "caught", "missed", "hit", "landed")}
