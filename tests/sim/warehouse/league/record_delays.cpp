// SPDX-License-Identifier: Apache-2.0
// Prints one JSON list of [options, delay intervals] from the league's own DelayGenerator.
#include "DelayGenerator.h"

#include <iostream>

using Config = DelayConfig;

static void record(unsigned seed, int robots, int ticks, int low, int high, bool poisson,
                   double chance, bool gaussian, double mean, double deviation, bool last) {
    Config config;
    config.seed = seed;
    config.minDelay = low;
    config.maxDelay = high;
    config.eventModel = poisson ? Config::EventModel::Poisson : Config::EventModel::Bernoulli;
    config.pDelay = chance;
    config.durationModel =
        gaussian ? Config::DurationModel::Gaussian : Config::DurationModel::Uniform;
    config.gaussMeanRatio = mean;
    config.gaussStdRatio = deviation;
    DelayGenerator generator(config, robots);
    for (int tick = 0; tick < ticks; tick++) generator.nextTick();
    nlohmann::ordered_json row = {
        {"seed", seed}, {"robots", robots}, {"ticks", ticks}, {"min_delay_ticks", low},
        {"max_delay_ticks", high}, {"event_model", poisson ? "poisson" : "bernoulli"},
        {"p_delay", chance}, {"duration_model", gaussian ? "gaussian" : "uniform"},
        {"gauss_mean_ratio", mean}, {"gauss_std_ratio", deviation},
        {"intervals", generator.delay_intervals_to_json()}};
    std::cout << row.dump() << (last ? "\n" : ",\n");
}

int main() {
    std::cout << "[\n";
    record(7, 5, 300, 1, 4, false, 0.05, false, 0.5, 0.0, false);
    record(0, 30, 100, 3, 17, false, 0.1, true, 0.3, 0.4, false);
    record(4294967295u, 4, 150, 2, 2, false, 0.3, false, 0.5, 0.0, false);
    record(12, 6, 80, 1, 9, false, 0.2, true, 0.45, 0.0, false);
    record(7, 12, 200, 1, 5, true, 0.05, false, 0.5, 0.0, false);
    record(99, 400, 20, 1, 20, true, 0.04, true, 0.5, 0.22, false);
    record(5, 101, 40, 1, 3, true, 0.4, false, 0.5, 0.0, false);
    record(3, 251, 15, 2, 6, true, 0.2, true, 0.5, 1.0, true);
    std::cout << "]\n";
}
