// SPDX-License-Identifier: Apache-2.0
// The sines and cosines of all rotations, for a chunk of samples.
#pragma once

#include <vector>

#include "program.hpp"
#include "trigonometry.hpp"

namespace fedfleet {

template <class Number> class Turns {
    typedef typename Number::Scalar T;
    typedef typename Number::Turn Turn;

  public:
    Turns(const Program &program, const Batch<T> &batch) : program_(program), batch_(batch) {}

    void place(Turn *memory) { turns_ = memory; }
    const Turn *at(int r) const { return turns_ + r; }
    bool good() const { return good_; } // whether all angles so far were finite

    // Angles that all samples share are taken WIDTH at a time, once, and spread.
    void prepare_shared() {
        std::vector<int> shared;
        for (int r = 0; r < program_.rotations; ++r)
            if (same_for_all(r)) shared.push_back(r);
        for (size_t begin = 0; begin < shared.size(); begin += WIDTH<T>) {
            const int count = int(std::min<size_t>(WIDTH<T>, shared.size() - begin));
            Wide<T> half{}, rate{};
            for (int l = 0; l < count; ++l) {
                const int r = shared[begin + l], p = program_.source[r] - program_.columns;
                half[l] = 0.5 * program_.offset[r];
                if (program_.source[r] < 0) continue;
                half[l] += 0.5 * program_.scale[r] * batch_.parameters[p];
                if (Number::DUAL)
                    rate[l] = 0.5 * program_.scale[r] * batch_.parameter_tangents[p];
            }
            Range<T> range;
            range.add(narrowed<T>(half)), range.add(narrowed<T>(rate));
            good_ &= range.finite();
            const SineCosine<T> both = range.large() ? one_by_one<T>(half) : sine_cosine<T>(half);
            for (int l = 0; l < count; ++l) {
                Turn &turn = turns_[shared[begin + l]];
                turn.cosine = Vec<T>{} + both.cosine[l];
                turn.sine = Vec<T>{} + both.sine[l];
                if constexpr (Number::DUAL) turn.rate = Vec<T>{} + T(rate[l]);
            }
        }
    }

    void prepare(int64_t from) {
        Range<T> range;
        for (int r = 0; r < program_.rotations; ++r) {
            if (same_for_all(r)) continue;
            const Wide<T> half = half_angle(r, from);
            const SineCosine<T> both = sine_cosine<T>(half);
            range.add(narrowed<T>(half));
            turns_[r].cosine = both.cosine, turns_[r].sine = both.sine;
            if constexpr (Number::DUAL) {
                turns_[r].rate = half_rate(r, from);
                range.add(turns_[r].rate);
            }
        }
        good_ &= range.finite();
        if (range.large())
            for (int r = 0; r < program_.rotations; ++r) {
                if (same_for_all(r)) continue;
                const SineCosine<T> both = one_by_one<T>(half_angle(r, from));
                turns_[r].cosine = both.cosine, turns_[r].sine = both.sine;
            }
    }

  private:
    bool same_for_all(int r) const {
        const int source = program_.source[r];
        return source < 0 || (source >= program_.columns && batch_.shared);
    }

    Wide<T> half_angle(int r, int64_t from) const {
        const Vec<T> values = column(r, batch_.inputs, batch_.parameters, from);
        return 0.5 * program_.scale[r] * widened<T>(values) + 0.5 * program_.offset[r];
    }
    Vec<T> half_rate(int r, int64_t from) const {
        return T(0.5 * program_.scale[r]) *
               column(r, batch_.input_tangents, batch_.parameter_tangents, from);
    }
    Vec<T> column(int r, const T *inputs, const T *parameters, int64_t from) const {
        const int source = program_.source[r], columns = program_.columns;
        if (source < columns) return gather<T>(inputs + source, columns, from, batch_.size);
        return gather<T>(parameters + source - columns, program_.parameters, from, batch_.size);
    }

    const Program &program_;
    const Batch<T> &batch_;
    Turn *turns_ = nullptr;
    bool good_ = true;
};

} // namespace fedfleet
