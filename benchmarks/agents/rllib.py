# SPDX-License-Identifier: Apache-2.0
"""RLlib's new stack with a policy as large as ours, in this process and without its cluster.

Its parts are those that its own actors and learners are made of. ``benchmarks/agents/peers.txt``
says what to install; it is no dependency of ours.
"""

import numpy as np
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.core.rl_module.default_model_config import DefaultModelConfig
from ray.rllib.env.single_agent_env_runner import SingleAgentEnvRunner

EPOCHS, MINIBATCHES = 4, 4


class RLlib:
    """CartPole in some lanes of one ``SingleAgentEnvRunner``, and a learner of PPO.

    Args:
        lanes: environments.
        hidden: of the LSTM.
        steps: of all lanes in one call, and of a sequence to learn from.
    """

    def __init__(self, lanes: int, hidden: int, steps: int) -> None:
        model = DefaultModelConfig(
            fcnet_hiddens=[8],
            use_lstm=True,
            lstm_cell_size=hidden,
            max_seq_len=steps,
            vf_share_layers=True,
        )
        config = PPOConfig().environment("CartPole-v1").rl_module(model_config=model)
        config.env_runners(num_env_runners=0, num_envs_per_env_runner=lanes)
        config.training(train_batch_size_per_learner=lanes * steps).debugging(seed=0)
        self.steps, self.batch = steps, lanes * steps
        self.runner = SingleAgentEnvRunner(config=config)
        self.learner = config.build_learner(spaces=self.runner.get_spaces())
        self.episodes = self.runner.sample(num_timesteps=self.batch)
        self.choices = np.random.default_rng(0).integers(0, 2, (steps, lanes))

    @property
    def parameters(self) -> int:
        """How many the policy has."""
        return sum(p.numel() for p in self.runner.module.parameters())

    def act(self) -> int:
        """Play; says how many actions counted."""
        self.episodes = self.runner.sample(num_timesteps=self.batch)
        return sum(map(len, self.episodes))

    def learn(self) -> int:
        """One update from what was played last; RLlib calculates its advantages in it, too."""
        self.learner.update(
            episodes=self.episodes,
            num_epochs=EPOCHS,
            minibatch_size=self.batch // MINIBATCHES,
            shuffle_batch_per_epoch=True,
        )
        return sum(map(len, self.episodes))
