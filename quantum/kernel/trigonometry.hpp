// SPDX-License-Identifier: Apache-2.0
// Sine and cosine of whole registers.
#pragma once

#include <cmath>

#include "lanes.hpp"

namespace fedfleet {

template <class T> struct SineCosine {
    Vec<T> sine, cosine;
};

inline SineCosine<float> on_eighth(Vec<float> r) { // |r| <= pi/4; coefficients: Cephes sinf, cosf
    const Vec<float> z = r * r;
    const Vec<float> s = ((-1.9515295891e-4f * z + 8.3321608736e-3f) * z - 1.6666654611e-1f) * z;
    const Vec<float> c =
        ((2.443315711809948e-5f * z - 1.388731625493765e-3f) * z + 4.166664568298827e-2f) * z;
    return {s * r + r, c * z - 0.5f * z + 1.0f};
}

inline SineCosine<double> on_eighth(Vec<double> r) { // coefficients: Cephes sin, cos
    const Vec<double> z = r * r;
    Vec<double> s = 1.58962301576546568060e-10 * z - 2.50507477628578072866e-8;
    s = s * z + 2.75573136213857245213e-6;
    s = s * z - 1.98412698295895385996e-4;
    s = s * z + 8.33333333332211858878e-3;
    s = s * z - 1.66666666666666307295e-1;
    Vec<double> c = -1.13585365213876817300e-11 * z + 2.08757008419747316778e-9;
    c = c * z - 2.75573141792967388112e-7;
    c = c * z + 2.48015872888517045348e-5;
    c = c * z - 1.38888888888730564116e-3;
    c = c * z + 4.16666666666665929218e-2;
    return {s * z * r + r, c * z * z - 0.5 * z + 1.0};
}

// Angles are scaled and reduced in double precision, for float too: accumulated fast weights grow
// large, and float would lose three digits at a thousand. The three parts of pi/2 have 33 bits each,
// so that their products with the quadrant are exact with or without fused multiply-add.
template <class T> inline SineCosine<T> sine_cosine(Wide<T> x) {
    constexpr double ROUND = 6755399441055744.0; // 1.5 * 2^52
    const Wide<T> quadrant = (x * 0.63661977236758134308 + ROUND) - ROUND;
    Wide<T> rest = x - quadrant * 1.57079632673412561417e+00;
    rest = rest - quadrant * 6.07710050630396597660e-11;
    rest = rest - quadrant * 2.02226624871116645580e-21;
    const SineCosine<T> base = on_eighth(__builtin_convertvector(rest, Vec<T>));
    const auto q = __builtin_convertvector(quadrant, typename Lanes<T>::Integers);
    const auto odd = (q & 1) != 0;
    const Vec<T> s = odd ? base.cosine : base.sine;
    const Vec<T> c = odd ? base.sine : base.cosine;
    return {(q & 2) != 0 ? -s : s, ((q + 1) & 2) != 0 ? -c : c};
}

// Exact beyond the range of the reduction, and slow.
template <class T> SineCosine<T> one_by_one(Wide<T> x) {
    SineCosine<T> out;
    for (int l = 0; l < WIDTH<T>; ++l) {
        out.sine[l] = T(std::sin(x[l]));
        out.cosine[l] = T(std::cos(x[l]));
    }
    return out;
}

// What all angles so far have in common, so that lanes are looked at once and not for each angle.
template <class T> struct Range {
    static constexpr T LARGE = T(1e6); // beyond, the reduction loses digits
    Vec<T> largest{}, poison{};        // poison: zero, or not a number

    void add(Vec<T> x) {
        const Vec<T> size = x < 0 ? -x : x;
        largest = size > largest ? size : largest;
        poison += x - x;
    }
    bool finite() const {
        bool all = true;
        for (int l = 0; l < WIDTH<T>; ++l) all &= poison[l] == 0;
        return all;
    }
    bool large() const {
        bool any = false;
        for (int l = 0; l < WIDTH<T>; ++l) any |= largest[l] > LARGE;
        return any;
    }
};

// Whether there is neither infinity nor NaN among the numbers.
template <class T> bool all_finite(const T *numbers, int64_t count) {
    Range<T> range;
    int64_t i = 0;
    for (; i + WIDTH<T> <= count; i += WIDTH<T>) range.add(load<T>(numbers + i));
    bool all = range.finite();
    for (; i < count; ++i) all &= numbers[i] - numbers[i] == 0;
    return all;
}

} // namespace fedfleet
