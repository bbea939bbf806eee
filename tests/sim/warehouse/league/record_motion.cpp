// SPDX-License-Identifier: Apache-2.0
// Prints, line by line, random runs of the league's own ActionModelWithRotate: requests, refusals
// and states. Arguments: seed, number of runs.
//
// Build beside copies of the kit's ActionModel.h, States.h, Counter.h, Delay.h and DelayGenerator.h
// with stubs in place of what needs boost: Logger.h (log_warning counts), Grid.h (rows, cols, map)
// and common.h (`using namespace std`, enum Action : int {FW, CR, CCR, W, NA}).
#include "ActionModel.h"

#include <sstream>

static const char LETTERS[] = "FRCWW";

static void run(mt19937& chance, bool last) {
    auto below = [&](int count) { return static_cast<int>(chance() % count); };
    const int counters[] = {1, 3, 10};
    const int counter = counters[below(3)];
    const int wall = counter == 1;  // with 1 the kit lets robots leave in the east and west
    Grid grid;
    grid.rows = 2 + below(5) + 2 * wall;
    grid.cols = 2 + below(5) + 2 * wall;
    const int obstacles = below(25);
    for (int cell = 0; cell < grid.rows * grid.cols; cell++) {
        const int row = cell / grid.cols, column = cell % grid.cols;
        const bool edge = !row || !column || row == grid.rows - 1 || column == grid.cols - 1;
        grid.map.push_back((wall && edge) || below(100) < obstacles);
    }
    vector<int> cells;
    for (int cell = 0; cell < grid.rows * grid.cols; cell++)
        if (!grid.map[cell]) cells.push_back(cell);
    for (size_t i = cells.size(); i > 1; i--) swap(cells[i - 1], cells[below(i)]);
    const int robots = min<int>(2 + below(29), cells.size());
    if (robots == 0) return run(chance, last);
    const int alike = below(3) ? -1 : below(4);
    vector<State> states;
    ostringstream starts, requests, refusals, ends;
    for (int i = 0; i < robots; i++) {
        states.push_back(State(cells[i], 0, alike < 0 ? below(4) : alike, counter));
        starts << (i ? "," : "") << '[' << cells[i] << ',' << states[i].orientation << ']';
    }
    ActionModelWithRotate model(grid, 1.0f);
    Logger logger;
    model.set_logger(&logger);
    const int ticks = 4 * counter + below(12), forward = below(101), waits = below(30);
    for (int tick = 0; tick < ticks; tick++) {
        vector<Action> actions(robots);
        requests << (tick ? "," : "") << '"';
        for (int i = 0; i < robots; i++) {
            if (below(100) < waits) actions[i] = Action::W;
            else if (states[i].current_action != Action::NA && below(20)) actions[i] = states[i].current_action;
            else actions[i] = below(100) < forward ? Action::FW : static_cast<Action>(below(4));
            requests << LETTERS[actions[i]];
        }
        requests << '"';
        const vector<Action> asked = actions;
        streambuf* shown = cout.rdbuf(nullptr);
        states = model.step(states, actions, tick);
        cout.rdbuf(shown);
        refusals << (tick ? "," : "") << '[';
        bool any = false;
        for (int i = 0; i < robots; i++)
            if (asked[i] != actions[i]) { refusals << (any ? "," : "") << i; any = true; }
        refusals << ']';
        if (any != (model.errors.size() + logger.logged > 0)) throw runtime_error("error without refusal");
        logger.logged = 0;
    }
    for (int i = 0; i < robots; i++)
        ends << (i ? "," : "") << '[' << states[i].location << ',' << states[i].orientation << ','
             << states[i].counter.count << ']';
    cout << "{\"shape\":[" << grid.rows << ',' << grid.cols << "],\"counter\":" << counter << ",\"floor\":\"";
    for (int blocked : grid.map) cout << (blocked ? '@' : '.');
    cout << "\",\"starts\":[" << starts.str() << "],\"requests\":[" << requests.str()
         << "],\"refusals\":[" << refusals.str() << "],\"ends\":[" << ends.str() << "]}" << (last ? "\n" : ",\n");
}

int main(int, char** arguments) {
    mt19937 chance(stoul(arguments[1]));
    cout << "[\n";
    for (int left = stoi(arguments[2]); left > 0; left--) run(chance, left == 1);
    cout << "]\n";
}
