"""What augmentation does for an agent: trains lesson 00's agent with and without, and lets it play in three themes.

The recording is of the theme "night"; "day" and "paper" the agent has never seen; the last way adds the half minute of
"day" that was recorded, too. Each way of training runs from five seeds, each agent plays ten games a theme at level 1.
Writes data/augment.csv, a row for each training and theme. Forty minutes on one core.
"""

import csv

from league import GAMES, SEEDS, train_lesson_00

from dlsteps.data.paths import CHECKOUT
from dlsteps.game import THEMES, Score, score

FLIP = "        x, y = flip_half(x, y, torch.tensor([RIGHT, STAY, LEFT]))\n"
SHIFT = "        x = shift_sideways(x, pixels=8)\n"
COLOUR = "        x, y = T.RandomColour(0.3, 0.3)(x, y)\n"
THEME = "        x, y = T.RandomTheme(0.5)(x, y)\n"
START = "for epoch"
IMPORT = {START: f"import dlsteps.data.transforms as T\n{START}"}
WAYS = {
    "no augmentation": {"edits": {FLIP: "", SHIFT: ""}},
    "flip and shift, labels as they were": {"edits": {"[RIGHT, STAY, LEFT]": "[LEFT, STAY, RIGHT]"}},
    "flip and shift": {},
    "flip, shift, brightness": {"edits": {**IMPORT, SHIFT: SHIFT + COLOUR}},
    "flip, shift, other colours": {"edits": {**IMPORT, SHIFT: SHIFT + THEME}},
    "flip, shift, half a minute by day": {"episodes": ("level1_night", "level1_day")},
}


def main():
    rows = []
    for way, changes in WAYS.items():
        for seed in SEEDS:
            agent = train_lesson_00(seed, **changes)
            rows += [(way, seed, theme, f"{score(agent, 1, GAMES, theme).mean:.3f}") for theme in THEMES]
        for theme in THEMES:
            scores = [float(row[3]) for row in rows if row[0] == way and row[2] == theme]
            print(f"{way:34} {theme:6}", "{:.2f} ± {:.2f}".format(*Score.over(scores)), scores, flush=True)
    with open(CHECKOUT / "augment.csv", "w", encoding="utf8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([("augmentation", "seed", "theme", "score"), *rows])


if __name__ == "__main__":
    main()
