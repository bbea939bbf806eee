// SPDX-License-Identifier: Apache-2.0
// Vectors of samples: one register of 64 bytes, filled from and spread to columns of a batch.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace fedfleet {

constexpr int REGISTER_BYTES = 64;

template <class T> constexpr int WIDTH = REGISTER_BYTES / int(sizeof(T));

template <class T> struct Lanes;
template <> struct Lanes<float> {
    typedef float Vector __attribute__((vector_size(64)));
    typedef int32_t Integers __attribute__((vector_size(64)));
    typedef double Wide __attribute__((vector_size(128)));
};
template <> struct Lanes<double> {
    typedef double Vector __attribute__((vector_size(64)));
    typedef int64_t Integers __attribute__((vector_size(64)));
    typedef double Wide __attribute__((vector_size(64)));
};
template <class T> using Vec = typename Lanes<T>::Vector;
template <class T> using Wide = typename Lanes<T>::Wide; // the same lanes in double precision

template <class T> inline Wide<T> widened(Vec<T> x) { return __builtin_convertvector(x, Wide<T>); }

template <class T> inline Vec<T> narrowed(Wide<T> x) { return __builtin_convertvector(x, Vec<T>); }

template <class T> inline Vec<T> load(const T *data) { // from any address
    Vec<T> out;
    std::memcpy(&out, data, sizeof out);
    return out;
}

// WIDTH samples of one column; past the end of the batch the last sample is repeated.
template <class T> inline Vec<T> gather(const T *data, int64_t stride, int64_t from, int64_t size) {
    Vec<T> out;
    if (from + WIDTH<T> <= size) {
        const T *at = data + from * stride;
        for (int l = 0; l < WIDTH<T>; ++l) out[l] = at[l * stride];
    } else {
        for (int l = 0; l < WIDTH<T>; ++l) {
            const int64_t sample = from + l < size ? from + l : size - 1;
            out[l] = data[sample * stride];
        }
    }
    return out;
}

template <class T>
inline void scatter(Vec<T> values, T *data, int64_t stride, int64_t from, int64_t size) {
    const int count = int(std::min<int64_t>(WIDTH<T>, size - from));
    for (int l = 0; l < count; ++l) data[(from + l) * stride] = values[l];
}

} // namespace fedfleet
