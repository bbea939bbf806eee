// SPDX-License-Identifier: Apache-2.0
// Plain and dual numbers: the rows of the state, and what a rotation does to them.
#pragma once

#include "lanes.hpp"

namespace fedfleet {

template <class T> struct Plain {
    typedef T Scalar;
    typedef Vec<T> Row;
    struct Turn {
        Vec<T> cosine, sine;
        Turn along(int8_t sign) const { return sign < 0 ? Turn{cosine, -sine} : *this; }
    };
    static constexpr bool DUAL = false;

    static Row zero() { return Row{}; }
    static Row one() { return Row{} + T(1); }
    static Vec<T> slope(Row x) { return x; } // what a caller wants of a number
    static Row product(Row a, Row b) { return a * b; }
    static Row scaled(Vec<T> a, Row x) { return a * x; }
    static void rotate(const Turn &t, Row &p, Row &q) {
        const Row a = p, b = q;
        p = t.cosine * a - t.sine * b;
        q = t.cosine * b + t.sine * a;
    }
    static Vec<T> overlap(Row lp, Row lq, Row p, Row q) { return lq * p - lp * q; }
};

template <class T> struct Dual {
    typedef T Scalar;
    struct Row {
        Vec<T> value, slope;
        Row operator-(const Row &o) const { return {value - o.value, slope - o.slope}; }
        Row &operator+=(const Row &o) {
            value += o.value, slope += o.slope;
            return *this;
        }
    };
    struct Turn {
        Vec<T> cosine, sine, rate; // rate: the slope of the angle
        Turn along(int8_t sign) const { return sign < 0 ? Turn{cosine, -sine, -rate} : *this; }
    };
    static constexpr bool DUAL = true;

    static Row zero() { return {Vec<T>{}, Vec<T>{}}; }
    static Row one() { return {Vec<T>{} + T(1), Vec<T>{}}; }
    static Vec<T> slope(const Row &x) { return x.slope; }
    static Row product(const Row &a, const Row &b) {
        return {a.value * b.value, a.value * b.slope + a.slope * b.value};
    }
    static Row scaled(Vec<T> a, const Row &x) { return {a * x.value, a * x.slope}; }
    static void rotate(const Turn &t, Row &p, Row &q) {
        const Row a = p, b = q;
        p.value = t.cosine * a.value - t.sine * b.value;
        q.value = t.cosine * b.value + t.sine * a.value;
        p.slope = t.cosine * a.slope - t.sine * b.slope - t.rate * q.value;
        q.slope = t.cosine * b.slope + t.sine * a.slope + t.rate * p.value;
    }
    static Vec<T> overlap(const Row &lp, const Row &lq, const Row &p, const Row &q) {
        return lq.value * p.slope + lq.slope * p.value - lp.value * q.slope - lp.slope * q.value;
    }
};

} // namespace fedfleet
