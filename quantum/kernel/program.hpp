// SPDX-License-Identifier: Apache-2.0
// What is run, and where the data of a batch lie.
#pragma once

#include <cstdint>

namespace fedfleet {

// The program, laid out by quantum/kernel/layout.py. A pass takes two rotations at once where their
// pairs form squares of rows (a, b, c, d): the first turns a-b and c-d, the second a-c and b-d. Four
// rows are then read and written once for four turns. Groups of squares differ in the directions.
struct Program {
    int32_t rows, rotations, passes, groups, observables, columns, parameters;
    const int32_t *source;     // [rotations] column of the inputs, then of the parameters; -1: none
    const double *scale;       // [rotations]
    const double *offset;      // [rotations]
    const int32_t *pass;       // [passes, 3] first rotation, first group, end of its groups
    const int32_t *group;      // [groups, 2] where its rows begin in `orbits`, and how many orbits
    const int8_t *direction;   // [groups, 4] signs of the turns a-b, c-d, a-c, b-d; 0, 0: one rotation
    const uint16_t *orbits;    // rows a, b or a, b, c, d of every orbit
    const int32_t *observable; // [observables, 4] kind, begin in `terms`, positive terms, all terms
    const uint16_t *terms;     // [..., 2] rows (p, q): the expectation sums +-psi_p psi_q
};

enum Kind { ZERO = 0, DIAGONAL = 1, MOVING = 2 };

template <class T> struct Batch {
    int64_t size;
    const T *inputs;             // [size, columns]
    const T *parameters;         // [parameters] or [size, parameters]
    bool shared;                 // the former
    const T *input_tangents;     // as inputs; for dual numbers only
    const T *parameter_tangents; // as parameters; for dual numbers only
    const T *cotangents;         // [size, observables]
    T *outputs;                  // [size, observables]
    T *states;                   // [chunks, rows, WIDTH] or null
    T *input_gradients;          // as inputs, or null
    T *parameter_gradients;      // as parameters, or null
};

} // namespace fedfleet
