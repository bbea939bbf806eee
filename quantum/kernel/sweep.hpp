// SPDX-License-Identifier: Apache-2.0
// One thread's workplace: carries a chunk of samples through the program and back.
#pragma once

#include <vector>

#include "numbers.hpp"
#include "program.hpp"
#include "turns.hpp"

namespace fedfleet {

// Kept by the thread between calls: fresh pages would cost more than a small circuit.
inline char *scratch(size_t bytes) {
    thread_local std::vector<char> kept;
    if (kept.size() < bytes + REGISTER_BYTES) kept.resize(bytes + REGISTER_BYTES);
    const uintptr_t start = (uintptr_t)kept.data() + REGISTER_BYTES - 1;
    return (char *)(start / REGISTER_BYTES * REGISTER_BYTES);
}

template <class Number> class Worker {
    typedef typename Number::Scalar T;
    typedef typename Number::Row Row;
    typedef typename Number::Turn Turn;
    struct Pair { // beside each other: at the same distance from two arrays they would collide
        Row psi, lambda;
    };

  public:
    Worker(const Program &program, const Batch<T> &batch) : program_(program), batch_(batch), turns_(program, batch) {
        const size_t turns = sizeof(Turn) * program.rotations, psi = sizeof(Row) * program.rows;
        const size_t pairs = batch.cotangents ? sizeof(Pair) * program.rows : 0;
        const size_t weights = sizeof(Vec<T>) * program.observables;
        const size_t gradients = sizeof(Vec<T>) * (program.columns + program.parameters);
        char *memory = scratch(turns + psi + pairs + weights + gradients);
        turns_.place((Turn *)memory), memory += turns;
        psi_ = (Row *)memory, memory += psi;
        pairs_ = (Pair *)memory, memory += pairs;
        weights_ = (Vec<T> *)memory, memory += weights;
        gradients_ = (Vec<T> *)memory;
        turns_.prepare_shared();
        while (first_pass_ < program.passes && !needed_in(first_pass_)) ++first_pass_;
    }

    bool good() const { return turns_.good(); }

    void forward(int64_t chunk) {
        const int64_t from = chunk * WIDTH<T>;
        turns_.prepare(from);
        evolve();
        for (int m = 0; m < program_.observables; ++m)
            scatter<T>(Number::slope(expectation(m)), batch_.outputs + m, program_.observables,
                       from, batch_.size);
        if constexpr (!Number::DUAL)
            if (batch_.states) {
                Row *saved = (Row *)batch_.states + chunk * program_.rows;
                for (int k = 0; k < program_.rows; ++k) saved[k] = psi_[k];
            }
    }

    // Dual numbers go forwards and back in one go; plain ones start from the state saved before.
    void backward(int64_t chunk) {
        const int64_t from = chunk * WIDTH<T>;
        const Row *end = psi_;
        if constexpr (Number::DUAL) {
            forward(chunk);
        } else {
            turns_.prepare(from);
            end = (const Row *)batch_.states + chunk * program_.rows;
        }
        for (int k = 0; k < program_.rows; ++k) pairs_[k] = {end[k], Number::zero()};
        start_adjoint(from);
        clear(!batch_.shared);
        for (int pass = program_.passes - 1; pass >= first_pass_; --pass) undo(pass);
        const int columns = program_.columns, parameters = program_.parameters;
        if (batch_.input_gradients)
            for (int c = 0; c < columns; ++c)
                scatter<T>(gradients_[c], batch_.input_gradients + c, columns, from, batch_.size);
        if (batch_.parameter_gradients && !batch_.shared)
            for (int p = 0; p < parameters; ++p)
                scatter<T>(gradients_[columns + p], batch_.parameter_gradients + p, parameters,
                           from, batch_.size);
    }

    // Sums over the samples of a block for shared parameters.
    void begin_block() { clear(true); }
    void end_block(T *sums) const {
        for (int p = 0; p < program_.parameters; ++p) {
            T sum = 0;
            for (int l = 0; l < WIDTH<T>; ++l) sum += gradients_[program_.columns + p][l];
            sums[p] = sum;
        }
    }

  private:
    bool needed(int r) const {
        const int source = program_.source[r];
        if (source < 0) return false;
        return source < program_.columns ? batch_.input_gradients : batch_.parameter_gradients;
    }

    bool two(int pass) const { return program_.direction[4 * groups(pass)[0] + 2]; }
    bool needed_in(int pass) const {
        return needed(rotation(pass)) || (two(pass) && needed(rotation(pass) + 1));
    }
    int rotation(int pass) const { return program_.pass[3 * pass]; }
    const int32_t *groups(int pass) const { return program_.pass + 3 * pass + 1; }

    void clear(bool parameters_too) {
        const int count = program_.columns + (parameters_too ? program_.parameters : 0);
        for (int i = 0; i < count; ++i) gradients_[i] = Vec<T>{};
    }

    void evolve() {
        for (int k = 0; k < program_.rows; ++k) psi_[k] = Number::zero();
        psi_[0] = Number::one();
        for (int pass = 0; pass < program_.passes; ++pass) {
            const Turn *turn = turns_.at(rotation(pass));
            for (int g = groups(pass)[0]; g < groups(pass)[1]; ++g)
                two(pass) ? turn_squares(g, turn) : turn_pairs(g, turn);
        }
    }

    const uint16_t *orbits(int g) const { return program_.orbits + program_.group[2 * g]; }
    int64_t num_orbits(int g) const { return program_.group[2 * g + 1]; }
    const int8_t *direction(int g) const { return program_.direction + 4 * g; }

    void turn_pairs(int g, const Turn *turn) {
        Row *const psi = psi_;
        const Turn ab = turn[0].along(direction(g)[0]);
        const uint16_t *orbit = orbits(g), *const end = orbit + 2 * num_orbits(g);
        for (; orbit < end; orbit += 2) Number::rotate(ab, psi[orbit[0]], psi[orbit[1]]);
    }

    void turn_squares(int g, const Turn *turn) {
        Row *const psi = psi_;
        const int8_t *sign = direction(g);
        const Turn ab = turn[0].along(sign[0]), cd = turn[0].along(sign[1]);
        const Turn ac = turn[1].along(sign[2]), bd = turn[1].along(sign[3]);
        const uint16_t *orbit = orbits(g), *const end = orbit + 4 * num_orbits(g);
        for (; orbit < end; orbit += 4) {
            Row a = psi[orbit[0]], b = psi[orbit[1]], c = psi[orbit[2]], d = psi[orbit[3]];
            Number::rotate(ab, a, b), Number::rotate(cd, c, d);
            Number::rotate(ac, a, c), Number::rotate(bd, b, d);
            psi[orbit[0]] = a, psi[orbit[1]] = b, psi[orbit[2]] = c, psi[orbit[3]] = d;
        }
    }

    const uint16_t *terms(int m) const {
        return program_.terms + 2 * int64_t(program_.observable[4 * m + 1]);
    }

    Row expectation(int m) const {
        const int32_t *observable = program_.observable + 4 * m;
        const uint16_t *term = terms(m);
        Row plus = Number::zero(), minus = Number::zero();
        for (int k = 0; k < observable[2]; ++k, term += 2)
            plus += Number::product(psi_[term[0]], psi_[term[1]]);
        for (int k = observable[2]; k < observable[3]; ++k, term += 2)
            minus += Number::product(psi_[term[0]], psi_[term[1]]);
        const T both_ways = observable[0] == MOVING ? 2 : 1;
        return Number::scaled(Vec<T>{} + both_ways, plus - minus);
    }

    // The adjoint starts as the weighted sum of all observables, applied to the state.
    void start_adjoint(int64_t from) {
        for (int m = 0; m < program_.observables; ++m) {
            Vec<T> weight = gather<T>(batch_.cotangents + m, program_.observables, from, batch_.size);
            for (int l = 0; l < WIDTH<T>; ++l) // samples that do not exist weigh nothing
                if (from + l >= batch_.size) weight[l] = T(0);
            weights_[m] = weight;
        }
        Pair *const pairs = pairs_;
        for (int m = 0; m < program_.observables; ++m) {
            const int32_t *observable = program_.observable + 4 * m;
            const uint16_t *term = terms(m);
            for (int k = 0; k < observable[3]; ++k, term += 2) {
                const Vec<T> weight = k < observable[2] ? weights_[m] : -weights_[m];
                Pair &p = pairs[term[0]], &q = pairs[term[1]];
                p.lambda += Number::scaled(weight, q.psi);
                if (observable[0] == MOVING) q.lambda += Number::scaled(weight, p.psi);
            }
        }
    }

    void undo(int pass) {
        const int r = rotation(pass);
        Vec<T> first{}, second{};
        for (int g = groups(pass)[0]; g < groups(pass)[1]; ++g)
            two(pass) ? undo_squares(g, r, first, second) : undo_pairs(g, r, first);
        if (needed(r)) gradients_[program_.source[r]] += T(program_.scale[r]) * first;
        if (two(pass) && needed(r + 1))
            gradients_[program_.source[r + 1]] += T(program_.scale[r + 1]) * second;
    }

    // With f = <psi|O|psi> and d psi / d angle = A psi / 2: d f / d angle = <lambda|A psi>.
    void undo_pairs(int g, int r, Vec<T> &gradient) {
        Pair *const pairs = pairs_;
        const int8_t sign = direction(g)[0];
        const Turn back = turns_.at(r)->along(-sign);
        const uint16_t *orbit = orbits(g), *const end = orbit + 2 * num_orbits(g);
        Vec<T> sum{};
        for (; orbit < end; orbit += 2) {
            Pair a = pairs[orbit[0]], b = pairs[orbit[1]];
            Number::rotate(back, a.psi, b.psi), Number::rotate(back, a.lambda, b.lambda);
            sum += Number::overlap(a.lambda, b.lambda, a.psi, b.psi);
            pairs[orbit[0]] = a, pairs[orbit[1]] = b;
        }
        gradient += T(sign) * sum;
    }

    void undo_squares(int g, int r, Vec<T> &first, Vec<T> &second) {
        Pair *const pairs = pairs_;
        const int8_t *sign = direction(g);
        const Turn ab = turns_.at(r)->along(-sign[0]), cd = turns_.at(r)->along(-sign[1]);
        const Turn ac = turns_.at(r + 1)->along(-sign[2]), bd = turns_.at(r + 1)->along(-sign[3]);
        const uint16_t *orbit = orbits(g), *const end = orbit + 4 * num_orbits(g);
        Vec<T> of_ab{}, of_cd{}, of_ac{}, of_bd{};
        for (; orbit < end; orbit += 4) {
            Pair a = pairs[orbit[0]], b = pairs[orbit[1]], c = pairs[orbit[2]], d = pairs[orbit[3]];
            Number::rotate(ac, a.psi, c.psi), Number::rotate(bd, b.psi, d.psi);
            Number::rotate(ac, a.lambda, c.lambda), Number::rotate(bd, b.lambda, d.lambda);
            of_ac += Number::overlap(a.lambda, c.lambda, a.psi, c.psi);
            of_bd += Number::overlap(b.lambda, d.lambda, b.psi, d.psi);
            Number::rotate(ab, a.psi, b.psi), Number::rotate(cd, c.psi, d.psi);
            Number::rotate(ab, a.lambda, b.lambda), Number::rotate(cd, c.lambda, d.lambda);
            of_ab += Number::overlap(a.lambda, b.lambda, a.psi, b.psi);
            of_cd += Number::overlap(c.lambda, d.lambda, c.psi, d.psi);
            pairs[orbit[0]] = a, pairs[orbit[1]] = b, pairs[orbit[2]] = c, pairs[orbit[3]] = d;
        }
        first += T(sign[0]) * of_ab + T(sign[1]) * of_cd;
        second += T(sign[2]) * of_ac + T(sign[3]) * of_bd;
    }

    const Program &program_;
    const Batch<T> &batch_;
    Turns<Number> turns_;
    Row *psi_;
    Pair *pairs_;
    Vec<T> *weights_, *gradients_;
    int first_pass_ = 0;
};

} // namespace fedfleet
