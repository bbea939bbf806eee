// SPDX-License-Identifier: Apache-2.0
//
// Runs a program of plane rotations (quantum/program.py) for a batch of samples.
//
// Layout: one vector register holds one row of the state for WIDTH samples, so every gate is the
// same unit-stride arithmetic on whole registers, and angles of their own for every sample cost
// what shared angles cost. A chunk of WIDTH samples is carried through the whole program before
// the next one starts: its state stays in the nearest cache.
//
// Backwards: the final state is un-rotated gate by gate together with its adjoint (Jones and
// Gacon, arXiv 2009.02823), so memory does not grow with depth. Second derivatives are exact: the
// same sweep in dual numbers differentiates the gradient along one direction, which is all that a
// double backward asks for.
//
// Results do not depend on the number of threads: sums over samples are taken in fixed blocks.


#include <atomic>
#include <thread>
#include <vector>

#include "sweep.hpp"

namespace fedfleet {

constexpr int MAX_BLOCKS = 32;
enum Status { GOOD = 0, NOT_FINITE = 1, NO_MEMORY = 2 };

// No exception may leave a thread, nor for Python.
template <class Function> Status guarded(Function function) {
    try {
        return function();
    } catch (...) {
        return NO_MEMORY;
    }
}

template <class Number>
int run(const Program &program, const Batch<typename Number::Scalar> &batch, bool back,
        int threads) {
    typedef typename Number::Scalar T;
    const int64_t numbers = program.parameters * (batch.shared ? 1 : batch.size);
    // Those of dead parameters too: no rotation would notice them.
    if (!back && !all_finite(batch.parameters, numbers)) return NOT_FINITE;
    const int64_t chunks = (batch.size + WIDTH<T> - 1) / WIDTH<T>;
    const int64_t per_block = (chunks + MAX_BLOCKS - 1) / MAX_BLOCKS;
    const int64_t blocks = per_block ? (chunks + per_block - 1) / per_block : 0;
    const bool summed = back && batch.shared && batch.parameter_gradients;
    std::vector<T> sums(summed ? blocks * program.parameters : 0);
    std::atomic<int64_t> next{0};
    std::atomic<int> status{GOOD};
    auto work = [&] {
        status = std::max<int>(status, guarded([&] {
            Worker<Number> worker(program, batch);
            for (int64_t block; (block = next++) < blocks;) {
                const int64_t end = std::min(chunks, (block + 1) * per_block);
                if (summed) worker.begin_block();
                for (int64_t chunk = block * per_block; chunk < end; ++chunk)
                    back ? worker.backward(chunk) : worker.forward(chunk);
                if (summed) worker.end_block(sums.data() + block * program.parameters);
            }
            return worker.good() ? GOOD : NOT_FINITE;
        }));
    };
    std::vector<std::thread> others;
    // A thread that does not start is one less: this one does the work that is left.
    guarded([&] {
        for (int t = 1; t < std::min<int64_t>(threads, blocks); ++t) others.emplace_back(work);
        return GOOD;
    });
    work();
    for (std::thread &other : others) other.join();
    if (summed)
        for (int p = 0; p < program.parameters; ++p) {
            T sum = 0;
            for (int64_t block = 0; block < blocks; ++block)
                sum += sums[block * program.parameters + p];
            batch.parameter_gradients[p] = sum;
        }
    return status;
}

template <class T>
int forward(const Program *program, int64_t size, const T *inputs, const T *parameters, int shared,
            T *outputs, T *states, int threads) {
    Batch<T> batch{};
    batch.size = size, batch.inputs = inputs, batch.parameters = parameters;
    batch.shared = shared, batch.outputs = outputs, batch.states = states;
    return guarded([&] { return Status(run<Plain<T>>(*program, batch, false, threads)); });
}

template <class T>
int backward(const Program *program, int64_t size, const T *inputs, const T *parameters, int shared,
             const T *cotangents, T *states, T *input_gradients, T *parameter_gradients,
             int threads) {
    Batch<T> batch{};
    batch.size = size, batch.inputs = inputs, batch.parameters = parameters;
    batch.shared = shared, batch.cotangents = cotangents, batch.states = states;
    batch.input_gradients = input_gradients, batch.parameter_gradients = parameter_gradients;
    return guarded([&] { return Status(run<Plain<T>>(*program, batch, true, threads)); });
}

template <class T>
int second(const Program *program, int64_t size, const T *inputs, const T *parameters, int shared,
           const T *cotangents, const T *input_tangents, const T *parameter_tangents,
           T *output_tangents, T *input_gradients, T *parameter_gradients, int threads) {
    Batch<T> batch{};
    batch.size = size, batch.inputs = inputs, batch.parameters = parameters;
    batch.shared = shared, batch.cotangents = cotangents;
    batch.input_tangents = input_tangents, batch.parameter_tangents = parameter_tangents;
    batch.outputs = output_tangents;
    batch.input_gradients = input_gradients, batch.parameter_gradients = parameter_gradients;
    return guarded([&] { return Status(run<Dual<T>>(*program, batch, true, threads)); });
}

} // namespace fedfleet

using fedfleet::Program;

#define EXPORT(T, NAME)                                                                            \
    extern "C" int forward_##NAME(const Program *p, int64_t n, const T *x, const T *w, int shared, \
                                  T *y, T *states, int threads) {                                  \
        return fedfleet::forward<T>(p, n, x, w, shared, y, states, threads);                       \
    }                                                                                              \
    extern "C" int backward_##NAME(const Program *p, int64_t n, const T *x, const T *w,            \
                                   int shared, const T *g, T *states, T *gx, T *gw, int threads) { \
        return fedfleet::backward<T>(p, n, x, w, shared, g, states, gx, gw, threads);              \
    }                                                                                              \
    extern "C" int second_##NAME(const Program *p, int64_t n, const T *x, const T *w, int shared,  \
                                 const T *g, const T *vx, const T *vw, T *vy, T *hx, T *hw,        \
                                 int threads) {                                                    \
        return fedfleet::second<T>(p, n, x, w, shared, g, vx, vw, vy, hx, hw, threads);            \
    }

EXPORT(float, float32)
EXPORT(double, float64)
