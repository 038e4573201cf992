"""Lesson 00, start here."""

from dlsteps.exercises.exercise import Case, Exercise, Quiz, Wrong
from dlsteps.game.catch import ACTIONS, PADDLE_SPEED, STAY, Catch
from dlsteps.game.policies import normalise


def count_steps(samples, batch_size, epochs):
    """Hand out the samples, batch by batch, and count."""
    steps = 0
    for _ in range(epochs):
        left = samples
        while left > 0:
            left -= batch_size
            steps += 1
    return steps


def training_cases(random):
    yield Case((64, 64, 1), "full batches")
    yield Case((65, 64, 1), "short batch")
    yield Case((63, 64, 1), "short batch")
    yield Case((100, 10, 3), "epochs")
    yield Case((3585, 64, 10), "each epoch")
    for _ in range(10):
        yield Case((random.randint(1, 500), random.randint(1, 64), random.randint(1, 5)), "each epoch")


def judge_player(probe):
    """Let it play; its score has to be near the scripted player's, and it may not run away from the ball."""
    scores, actions, away = [], set(), None
    for seed in (11, 12, 13):
        game, reward = Catch(seed), 0.0
        for _ in range(900):
            here = (round(game.fallers[0].x, 1), game.paddle)
            action = probe(*here)
            if action not in ACTIONS:
                raise Wrong("not an action", case=here, got=action)
            if abs(here[0] - here[1]) < PADDLE_SPEED / 2 and action != STAY:
                away = away or {"case": here, "got": action}
            actions.add(int(action))
            reward += game.step(action)
        scores.append(normalise(reward, game.landed, 1))
    score = sum(scores) / len(scores)
    if score <= 0.9:
        raise Wrong("swapped" if score < -0.15 else "stands still" if actions == {STAY} else "score", score=score)
    if away:
        raise Wrong("trembles", **away)


EXERCISES = {
    "0.1": Exercise(
        cases=training_cases,
        expected=count_steps,
        ideas={
            "full batches": {
                "en": "if the samples fill their batches exactly, there is no further batch",
                "zh": "样本正好装满各个批量时，不会再多出一个批量",
            },
            "short batch": {
                "en": "a last batch that is not full counts, too",
                "zh": "最后一个批量没装满，也算一个",
            },
            "epochs": {
                "en": "each epoch goes through all batches again",
                "zh": "每个轮次都要把所有批量再过一遍",
            },
            "each epoch": {
                "en": "every epoch has its own short batch: round up first, then multiply",
                "zh": "每个轮次都有自己的最后一个批量：先向上取整，再相乘",
            },
        },
        hints={
            "en": [
                "One batch, one step. How many batches hold 65 samples if 64 fit into one?",
                "The last batch may be short, but it is a batch: round up, then multiply by the epochs.",
                "math.ceil(samples / batch_size) * epochs",
            ],
            "zh": [
                "一个批量走一步。一个批量装 64 个样本，65 个样本要几个批量？",
                "最后一个批量可以不满，但也算一个：先向上取整，再乘以轮次数。",
                "math.ceil(samples / batch_size) * epochs",
            ],
        },
    ),
    "0.2": Exercise(
        judge=judge_player,
        ideas={
            "not an action": {
                "en": "for {case} (ball, paddle) it returned {got}: choose from LEFT, STAY, RIGHT (0, 1, 2)",
                "zh": "球和球拍的位置为 {case} 时，返回了 {got}：只能是 LEFT、STAY、RIGHT（0、1、2）",
            },
            "trembles": {
                "en": "for {case} (ball, paddle) it returned {got}: a step carries the paddle away from the ball; stay there",
                "zh": "球和球拍的位置为 {case} 时，返回了 {got}：走一步反而离球更远，这时应该不动",
            },
            "swapped": {
                "en": "its score over 3 games is {score:.2f}, worse than chance: are left and right swapped?",
                "zh": "3 局的平均得分是 {score:.2f}，还不如乱按：是不是左右弄反了？",
            },
            "stands still": {
                "en": "its score over 3 games is {score:.2f}: it always answers STAY",
                "zh": "3 局的平均得分是 {score:.2f}：它总是回答 STAY",
            },
            "score": {
                "en": "its score over 3 games is {score:.2f}; a player that goes to where the ball is has more than 0.90",
                "zh": "3 局的平均得分是 {score:.2f}；球在哪里就往哪里走的玩家，得分应高于 0.90",
            },
        },
        hints={
            "en": [
                "Three cases: the ball is left of the paddle, right of it, or above it.",
                "A smaller x is further left. Go LEFT while ball_x is smaller than paddle_x.",
                "Stay only when the two are within a few pixels: if abs(ball_x - paddle_x) < 6: return STAY",
            ],
            "zh": [
                "分三种情况：球在球拍左边、右边，或者正上方。",
                "x 越小越靠左。只要 ball_x 小于 paddle_x，就返回 LEFT。",
                "只有两者相差不过几个像素时才不动：if abs(ball_x - paddle_x) < 6: return STAY",
            ],
        },
    ),
}

QUIZZES = {
    "0.a": Quiz(
        right="b",
        why={
            "en": {
                "a": "its network and its training were the same as yours",
                "b": "yours saw a single ball and no stones, so nothing told it what to do about them",
                "c": "more of the same minute would still hold no stone",
            },
            "zh": {
                "a": "它的网络和训练方法都和你的一样",
                "b": "你的智能体只见过一个球，没见过石头，所以没有什么教过它该怎么办",
                "c": "同样的录像再多，里面也还是没有石头",
            },
        },
    ),
}
