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
#include <cmath>
#include <cstdint>
#include <memory>
#include <new>
#include <thread>
#include <vector>

namespace {

constexpr int REGISTER_BYTES = 64;

template <class T> constexpr int WIDTH = REGISTER_BYTES / int(sizeof(T));

template <class T> struct Lanes;
template <> struct Lanes<float> {
    typedef float Vector __attribute__((vector_size(64)));
    typedef int32_t Integers __attribute__((vector_size(64)));
    typedef double Wide __attribute__((vector_size(128)));
    typedef int32_t WideIntegers __attribute__((vector_size(64)));
};
template <> struct Lanes<double> {
    typedef double Vector __attribute__((vector_size(64)));
    typedef int64_t Integers __attribute__((vector_size(64)));
    typedef double Wide __attribute__((vector_size(64)));
    typedef int64_t WideIntegers __attribute__((vector_size(64)));
};
template <class T> using Vec = typename Lanes<T>::Vector;

// The program, laid out by quantum/kernel/layout.py.
struct Program {
    int32_t rows, rotations, observables, columns, parameters;
    const int32_t *source;     // [rotations] column of the inputs, then of the parameters; -1: none
    const double *scale;       // [rotations]
    const double *offset;      // [rotations]
    const int32_t *first_pair; // [rotations] where its pairs begin
    const int32_t *num_pairs;  // [rotations]
    const uint16_t *pairs;     // [..., 2] rows (p, q): p turns towards q
    const uint8_t *kind;       // [observables] 0: always zero, 1: diagonal, 2: moves rows
    const uint16_t *image;     // [observables, rows]
    const int8_t *sign;        // [observables, rows]
};

// ---------------------------------------------------------------------------------------------
// Sine and cosine

constexpr double LARGE = 1e6; // beyond, the reduction below would lose digits

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

// Not inlined: it is rarely needed, and long.
template <class T> __attribute__((noinline)) SineCosine<T> one_by_one(Vec<T> x) {
    SineCosine<T> out;
    for (int l = 0; l < WIDTH<T>; ++l) {
        out.sine[l] = T(std::sin(double(x[l])));
        out.cosine[l] = T(std::cos(double(x[l])));
    }
    return out;
}

// Angles are reduced in double precision, for float too: accumulated fast weights grow large, and
// a float reduction would lose three digits at a thousand. The three parts of pi/2 have 33 bits
// each, so that their products with the quadrant are exact with or without fused multiply-add.
template <class T> inline SineCosine<T> sine_cosine(Vec<T> x) {
    typedef typename Lanes<T>::Wide Wide;
    typedef typename Lanes<T>::Integers Integers;
    bool large = false;
    for (int l = 0; l < WIDTH<T>; ++l) large |= !(std::abs(x[l]) < T(LARGE));
    if (large) return one_by_one<T>(x);
    const Wide wide = __builtin_convertvector(x, Wide);
    constexpr double ROUND = 6755399441055744.0; // 1.5 * 2^52
    const Wide quadrant = (wide * 0.63661977236758134308 + ROUND) - ROUND;
    Wide rest = wide - quadrant * 1.57079632673412561417e+00;
    rest = rest - quadrant * 6.07710050630396597660e-11;
    rest = rest - quadrant * 2.02226624871116645580e-21;
    const SineCosine<T> base = on_eighth(__builtin_convertvector(rest, Vec<T>));
    const Integers q =
        __builtin_convertvector(quadrant, typename Lanes<T>::WideIntegers);
    const auto odd = (q & 1) != 0;
    const Vec<T> s = odd ? base.cosine : base.sine;
    const Vec<T> c = odd ? base.sine : base.cosine;
    return {(q & 2) != 0 ? -s : s, ((q + 1) & 2) != 0 ? -c : c};
}

// ---------------------------------------------------------------------------------------------
// Plain and dual numbers: the state, and what a rotation does to it

template <class T> struct Plain {
    typedef T Scalar;
    typedef Vec<T> Row;
    struct Turn {
        Vec<T> cosine, sine;
        Turn inverse() const { return {cosine, -sine}; }
    };
    static constexpr bool DUAL = false;

    static Row zero() { return Row{}; }
    static Row one() { return Row{} + T(1); }
    static Vec<T> slope(Row x) { return x; } // what a caller wants of a number
    static Row times(Vec<T> a, Row x) { return a * x; }
    static Row times(Row a, Row b, int) { return a * b; }
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
        Row operator+(const Row &o) const { return {value + o.value, slope + o.slope}; }
        Row &operator+=(const Row &o) { return *this = *this + o; }
    };
    struct Turn {
        Vec<T> cosine, sine, rate; // rate: the slope of the angle
        Turn inverse() const { return {cosine, -sine, -rate}; }
    };
    static constexpr bool DUAL = true;

    static Row zero() { return {Vec<T>{}, Vec<T>{}}; }
    static Row one() { return {Vec<T>{} + T(1), Vec<T>{}}; }
    static Vec<T> slope(const Row &x) { return x.slope; }
    static Row times(Vec<T> a, const Row &x) { return {a * x.value, a * x.slope}; }
    static Row times(const Row &a, const Row &b, int) {
        return {a.value * b.value, a.value * b.slope + a.slope * b.value};
    }
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

// ---------------------------------------------------------------------------------------------
// One batch: where its data lie

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

template <class T> inline bool finite(Vec<T> x) {
    const Vec<T> none = x - x; // zero, or not a number
    bool good = true;
    for (int l = 0; l < WIDTH<T>; ++l) good &= none[l] == T(0);
    return good;
}

// ---------------------------------------------------------------------------------------------
// One thread's workplace, and the sweeps of one chunk

template <class Number> class Worker {
    typedef typename Number::Scalar T;
    typedef typename Number::Row Row;
    typedef typename Number::Turn Turn;

  public:
    Worker(const Program &program, const Batch<T> &batch)
        : program_(program), batch_(batch), turns_(program.rotations), psi_(program.rows) {
        if (batch.cotangents) {
            lambda_.resize(program.rows);
            cotangents_.resize(program.observables);
            gradients_.resize(program.columns + program.parameters);
        }
        first_needed_ = 0;
        while (first_needed_ < program.rotations && !needed(first_needed_)) ++first_needed_;
        prepare_shared();
    }

    bool good() const { return good_; }

    void forward(int64_t chunk) {
        const int64_t from = chunk * WIDTH<T>;
        prepare(from);
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
        if constexpr (Number::DUAL) {
            forward(chunk);
        } else {
            prepare(from);
            const Row *saved = (const Row *)batch_.states + chunk * program_.rows;
            for (int k = 0; k < program_.rows; ++k) psi_[k] = saved[k];
        }
        for (int m = 0; m < program_.observables; ++m) {
            cotangents_[m] =
                gather<T>(batch_.cotangents + m, program_.observables, from, batch_.size);
            for (int l = 0; l < WIDTH<T>; ++l) // samples that do not exist weigh nothing
                if (from + l >= batch_.size) cotangents_[m][l] = T(0);
        }
        start_adjoint();
        clear(!batch_.shared);
        for (int r = program_.rotations - 1; r >= first_needed_; --r) undo(r);
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

    bool same_for_all(int r) const {
        const int source = program_.source[r];
        return source < 0 || (source >= program_.columns && batch_.shared);
    }

    void clear(bool parameters_too) {
        const int count = program_.columns + (parameters_too ? program_.parameters : 0);
        for (int i = 0; i < count; ++i) gradients_[i] = Vec<T>{};
    }

    void set_turn(int r, Vec<T> angle, Vec<T> tangent) {
        const SineCosine<T> both = sine_cosine<T>(angle * T(0.5));
        turns_[r].cosine = both.cosine;
        turns_[r].sine = both.sine;
        if constexpr (Number::DUAL) turns_[r].rate = tangent * T(0.5);
        good_ &= finite<T>(angle) && finite<T>(tangent);
    }

    // Angles that all samples share are taken WIDTH at a time, once, and spread.
    void prepare_shared() {
        std::vector<int> shared;
        for (int r = 0; r < program_.rotations; ++r)
            if (same_for_all(r)) shared.push_back(r);
        for (size_t begin = 0; begin < shared.size(); begin += WIDTH<T>) {
            const int count = int(std::min<size_t>(WIDTH<T>, shared.size() - begin));
            Vec<T> angle{}, rate{};
            for (int l = 0; l < count; ++l) {
                const int r = shared[begin + l], p = program_.source[r] - program_.columns;
                angle[l] = T(program_.offset[r]);
                if (program_.source[r] < 0) continue;
                angle[l] += T(program_.scale[r]) * batch_.parameters[p];
                if (Number::DUAL)
                    rate[l] = T(program_.scale[r] * 0.5) * batch_.parameter_tangents[p];
            }
            good_ &= finite<T>(angle) && finite<T>(rate);
            const SineCosine<T> both = sine_cosine<T>(angle * T(0.5));
            for (int l = 0; l < count; ++l) {
                Turn &turn = turns_[shared[begin + l]];
                turn.cosine = Vec<T>{} + both.cosine[l];
                turn.sine = Vec<T>{} + both.sine[l];
                if constexpr (Number::DUAL) turn.rate = Vec<T>{} + rate[l];
            }
        }
    }

    void prepare(int64_t from) {
        for (int r = 0; r < program_.rotations; ++r) {
            if (same_for_all(r)) continue;
            const int source = program_.source[r], columns = program_.columns;
            const bool input = source < columns;
            const int64_t stride = input ? columns : program_.parameters;
            const int64_t column = input ? source : source - columns;
            const T *values = (input ? batch_.inputs : batch_.parameters) + column;
            const T scale = T(program_.scale[r]), offset = T(program_.offset[r]);
            Vec<T> tangent{};
            if constexpr (Number::DUAL) {
                const T *given = input ? batch_.input_tangents : batch_.parameter_tangents;
                tangent = scale * gather<T>(given + column, stride, from, batch_.size);
            }
            set_turn(r, scale * gather<T>(values, stride, from, batch_.size) + offset, tangent);
        }
    }

    const uint16_t *pairs(int r) const { return program_.pairs + 2 * int64_t(program_.first_pair[r]); }

    void evolve() {
        for (int k = 0; k < program_.rows; ++k) psi_[k] = Number::zero();
        psi_[0] = Number::one();
        Row *psi = psi_.data();
        for (int r = 0; r < program_.rotations; ++r) {
            const Turn turn = turns_[r];
            const uint16_t *pair = pairs(r), *end = pair + 2 * program_.num_pairs[r];
            for (; pair < end; pair += 2) Number::rotate(turn, psi[pair[0]], psi[pair[1]]);
        }
    }

    Row expectation(int m) const {
        const uint16_t *image = program_.image + int64_t(m) * program_.rows;
        const int8_t *sign = program_.sign + int64_t(m) * program_.rows;
        Row sum = Number::zero();
        if (program_.kind[m] == 0) return sum;
        for (int k = 0; k < program_.rows; ++k) {
            const Row term = Number::times(psi_[k], psi_[image[k]], 0);
            sum += Number::times(Vec<T>{} + T(sign[k]), term);
        }
        return sum;
    }

    // The adjoint starts as the weighted sum of all observables, applied to the state.
    void start_adjoint() {
        for (int k = 0; k < program_.rows; ++k) lambda_[k] = Number::zero();
        for (int m = 0; m < program_.observables; ++m) {
            if (program_.kind[m] == 0) continue;
            const uint16_t *image = program_.image + int64_t(m) * program_.rows;
            const int8_t *sign = program_.sign + int64_t(m) * program_.rows;
            const Vec<T> weight = cotangents_[m];
            for (int k = 0; k < program_.rows; ++k)
                lambda_[k] += Number::times(weight * T(sign[k]), psi_[image[k]]);
        }
    }

    // With f = <psi|O|psi> and d psi / d angle = A psi / 2: d f / d angle = <lambda|A psi>.
    void undo(int r) {
        const Turn back = turns_[r].inverse();
        const uint16_t *pair = pairs(r), *end = pair + 2 * program_.num_pairs[r];
        Row *psi = psi_.data(), *lambda = lambda_.data();
        Vec<T> gradient{};
        for (; pair < end; pair += 2) {
            const int p = pair[0], q = pair[1];
            Number::rotate(back, psi[p], psi[q]);
            Number::rotate(back, lambda[p], lambda[q]);
            gradient += Number::overlap(lambda[p], lambda[q], psi[p], psi[q]);
        }
        if (needed(r)) gradients_[program_.source[r]] += T(program_.scale[r]) * gradient;
    }

    // std::vector aligns to the element's type since C++17.
    const Program &program_;
    const Batch<T> &batch_;
    std::vector<Turn> turns_;
    std::vector<Row> psi_, lambda_;
    std::vector<Vec<T>> cotangents_, gradients_;
    int first_needed_ = 0;
    bool good_ = true;
};

// ---------------------------------------------------------------------------------------------
// All chunks, on several threads

constexpr int MAX_BLOCKS = 32;

template <class Number>
int run(const Program &program, const Batch<typename Number::Scalar> &batch, bool back,
        int threads) {
    typedef typename Number::Scalar T;
    const int64_t chunks = (batch.size + WIDTH<T> - 1) / WIDTH<T>;
    const int64_t per_block = (chunks + MAX_BLOCKS - 1) / MAX_BLOCKS;
    const int64_t blocks = per_block ? (chunks + per_block - 1) / per_block : 0;
    const bool summed = back && batch.shared && batch.parameter_gradients;
    std::vector<T> sums(summed ? blocks * program.parameters : 0);
    std::atomic<int64_t> next{0};
    std::atomic<bool> good{true};
    auto work = [&] {
        Worker<Number> worker(program, batch);
        for (int64_t block; (block = next++) < blocks;) {
            const int64_t end = std::min(chunks, (block + 1) * per_block);
            if (summed) worker.begin_block();
            for (int64_t chunk = block * per_block; chunk < end; ++chunk)
                back ? worker.backward(chunk) : worker.forward(chunk);
            if (summed) worker.end_block(sums.data() + block * program.parameters);
        }
        if (!worker.good()) good = false;
    };
    std::vector<std::thread> others;
    for (int t = 1; t < std::min<int64_t>(threads, blocks); ++t) others.emplace_back(work);
    work();
    for (std::thread &other : others) other.join();
    if (summed)
        for (int p = 0; p < program.parameters; ++p) {
            T sum = 0;
            for (int64_t block = 0; block < blocks; ++block)
                sum += sums[block * program.parameters + p];
            batch.parameter_gradients[p] = sum;
        }
    return good ? 0 : 1;
}

// No exception may leave for Python: 2 says that memory ran out.
template <class Function> int guarded(Function function) {
    try {
        return function();
    } catch (...) {
        return 2;
    }
}

template <class T>
int forward(const Program *program, int64_t size, const T *inputs, const T *parameters, int shared,
            T *outputs, T *states, int threads) {
    Batch<T> batch{};
    batch.size = size, batch.inputs = inputs, batch.parameters = parameters;
    batch.shared = shared, batch.outputs = outputs, batch.states = states;
    return guarded([&] { return run<Plain<T>>(*program, batch, false, threads); });
}

template <class T>
int backward(const Program *program, int64_t size, const T *inputs, const T *parameters, int shared,
             const T *cotangents, T *states, T *input_gradients, T *parameter_gradients,
             int threads) {
    Batch<T> batch{};
    batch.size = size, batch.inputs = inputs, batch.parameters = parameters;
    batch.shared = shared, batch.cotangents = cotangents, batch.states = states;
    batch.input_gradients = input_gradients, batch.parameter_gradients = parameter_gradients;
    return guarded([&] { return run<Plain<T>>(*program, batch, true, threads); });
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
    return guarded([&] { return run<Dual<T>>(*program, batch, true, threads); });
}

} // namespace

#define EXPORT(T, NAME)                                                                          \
    extern "C" int forward_##NAME(const Program *p, int64_t n, const T *x, const T *w, int s,    \
                                  T *y, T *z, int k) {                                           \
        return forward<T>(p, n, x, w, s, y, z, k);                                               \
    }                                                                                            \
    extern "C" int backward_##NAME(const Program *p, int64_t n, const T *x, const T *w, int s,   \
                                   const T *g, T *z, T *gx, T *gw, int k) {                      \
        return backward<T>(p, n, x, w, s, g, z, gx, gw, k);                                      \
    }                                                                                            \
    extern "C" int second_##NAME(const Program *p, int64_t n, const T *x, const T *w, int s,     \
                                 const T *g, const T *vx, const T *vw, T *jv, T *hx, T *hw,      \
                                 int k) {                                                        \
        return second<T>(p, n, x, w, s, g, vx, vw, jv, hx, hw, k);                               \
    }

EXPORT(float, float32)
EXPORT(double, float64)
