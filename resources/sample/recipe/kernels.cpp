// Fused row-wise steps of the network for one CPU core; bfloat16 in memory, float arithmetic.
// Built and called by kernels.py. Every function has its gradient beside it.
#include <cmath>
#include <cstdint>
#include <cstring>
#include <algorithm>
#include <vector>

typedef uint16_t bf;
static inline float up(bf v) { uint32_t u = (uint32_t)v << 16; float f; memcpy(&f, &u, 4); return f; }
static inline bf down(float f) {
    uint32_t u; memcpy(&u, &f, 4);
    return (bf)((u + 0x7fffu + ((u >> 16) & 1u)) >> 16);
}

// exp, good to 5e-5: enough for bfloat16
static inline float quick_exp(float x) {
    float t = std::max(x, -80.0f) * 1.44269504f;
    float r = std::floor(t + 0.5f), f = t - r;
    float p = 1.0f + f * (0.69314718f + f * (0.24022651f + f * (0.05550411f + f * 0.00961813f)));
    int32_t e = ((int32_t)r + 127) << 23;
    float scale; memcpy(&scale, &e, 4);
    return p * scale;
}

extern "C" {

// out = res + x * rms(x)^-1 * w      (res and w may be null)
void rms_forward(const bf* x, const float* w, const bf* res, bf* out, int64_t rows, int d) {
    for (int64_t r = 0; r < rows; r++, x += d, out += d) {
        float s = 0;
        for (int i = 0; i < d; i++) { float a = up(x[i]); s += a * a; }
        s = 1.0f / std::sqrt(s / d + 1e-6f);
        if (w) for (int i = 0; i < d; i++) out[i] = down((res ? up(res[i]) : 0.0f) + up(x[i]) * s * w[i]);
        else for (int i = 0; i < d; i++) out[i] = down((res ? up(res[i]) : 0.0f) + up(x[i]) * s);
        if (res) res += d;
    }
}

void rms_backward(const bf* g, const bf* x, const float* w, bf* gx, float* gw, int64_t rows, int d) {
    for (int64_t r = 0; r < rows; r++, x += d, g += d, gx += d) {
        float s = 0, t = 0;
        if (w) for (int i = 0; i < d; i++) { float a = up(x[i]); s += a * a; t += a * w[i] * up(g[i]); }
        else for (int i = 0; i < d; i++) { float a = up(x[i]); s += a * a; t += a * up(g[i]); }
        s = 1.0f / std::sqrt(s / d + 1e-6f);
        t *= s * s / d;
        if (w) for (int i = 0; i < d; i++) {
            float a = up(x[i]), b = up(g[i]);
            gw[i] += b * a * s;
            gx[i] = down(s * (b * w[i] - a * t));
        } else for (int i = 0; i < d; i++) gx[i] = down(s * (up(g[i]) - up(x[i]) * t));
    }
}

// Heads: x is [B, N, stride] with H heads of width d side by side from column `first`; out is [B, H, N, d].
// rms norm (weight may be null), then rotation in blocks of 2*half (cos null: none).
// cos, sin: [N, d/2], or [B, N, d/2] with own = 1.
void heads_forward(const bf* x, const float* w, const float* cs, const float* sn, bf* out, int64_t B, int64_t N, int H,
                   int d, int64_t stride, int64_t first, int half, int own) {
    float v[256];
    for (int64_t b = 0; b < B; b++) for (int64_t n = 0; n < N; n++) for (int h = 0; h < H; h++) {
        const bf* p = x + (b * N + n) * stride + first + h * d;
        bf* o = out + ((b * H + h) * N + n) * d;
        float s = 0;
        for (int i = 0; i < d; i++) { v[i] = up(p[i]); s += v[i] * v[i]; }
        s = 1.0f / std::sqrt(s / d + 1e-6f);
        if (w) for (int i = 0; i < d; i++) v[i] *= s * w[i];
        else for (int i = 0; i < d; i++) v[i] *= s;
        if (!cs) { for (int i = 0; i < d; i++) o[i] = down(v[i]); continue; }
        const float* c = cs + ((own ? b * N : 0) + n) * (d / 2);
        const float* e = sn + ((own ? b * N : 0) + n) * (d / 2);
        for (int k = 0; k < d; k += 2 * half, c += half, e += half)
            for (int j = 0; j < half; j++) {
                float a = v[k + j], z = v[k + half + j];
                o[k + j] = down(a * c[j] - z * e[j]);
                o[k + half + j] = down(z * c[j] + a * e[j]);
            }
    }
}

void heads_backward(const bf* g, const bf* x, const float* w, const float* cs, const float* sn, bf* gx, float* gw,
                    int64_t B, int64_t N, int H, int d, int64_t stride, int64_t first, int half, int own) {
    float v[256];
    for (int64_t b = 0; b < B; b++) for (int64_t n = 0; n < N; n++) for (int h = 0; h < H; h++) {
        int64_t at = (b * N + n) * stride + first + h * d;
        const bf* p = x + at;
        bf* q = gx + at;
        const bf* o = g + ((b * H + h) * N + n) * d;
        if (cs) {
            const float* c = cs + ((own ? b * N : 0) + n) * (d / 2);
            const float* e = sn + ((own ? b * N : 0) + n) * (d / 2);
            for (int k = 0; k < d; k += 2 * half, c += half, e += half)
                for (int j = 0; j < half; j++) {
                    float a = up(o[k + j]), z = up(o[k + half + j]);
                    v[k + j] = a * c[j] + z * e[j];
                    v[k + half + j] = z * c[j] - a * e[j];
                }
        } else for (int i = 0; i < d; i++) v[i] = up(o[i]);
        float s = 0, t = 0;
        if (w) for (int i = 0; i < d; i++) { float a = up(p[i]); s += a * a; t += a * w[i] * v[i]; }
        else for (int i = 0; i < d; i++) { float a = up(p[i]); s += a * a; t += a * v[i]; }
        s = 1.0f / std::sqrt(s / d + 1e-6f);
        t *= s * s / d;
        if (w) for (int i = 0; i < d; i++) {
            float a = up(p[i]);
            gw[i] += v[i] * a * s;
            q[i] = down(s * (v[i] * w[i] - a * t));
        } else for (int i = 0; i < d; i++) q[i] = down(s * (v[i] - up(p[i]) * t));
    }
}

// out = gelu_tanh(gate) * up;  gate_up is [rows, 2d]
void gated_forward(const bf* x, bf* out, int64_t rows, int d) {
    const float k = 2.0f * 0.7978845608f;
    for (int64_t r = 0; r < rows; r++, x += 2 * d, out += d)
        for (int i = 0; i < d; i++) {
            float a = up(x[i]), b = up(x[d + i]);
            float s = 1.0f / (1.0f + quick_exp(std::min(80.0f, -k * (a + 0.044715f * a * a * a))));
            out[i] = down(a * s * b);
        }
}

void gated_backward(const bf* g, const bf* x, bf* gx, int64_t rows, int d) {
    const float k = 2.0f * 0.7978845608f;
    for (int64_t r = 0; r < rows; r++, x += 2 * d, gx += 2 * d, g += d)
        for (int i = 0; i < d; i++) {
            float a = up(x[i]), b = up(x[d + i]), e = up(g[i]);
            float s = 1.0f / (1.0f + quick_exp(std::min(80.0f, -k * (a + 0.044715f * a * a * a))));
            gx[d + i] = down(e * a * s);
            gx[i] = down(e * b * (s + a * s * (1.0f - s) * k * (1.0f + 0.134145f * a * a)));
        }
}

// softmax of each row, in place; and its gradient, in place of dp
void softmax_forward(bf* x, int64_t rows, int64_t n) {
    static thread_local std::vector<float> row;
    if ((int64_t)row.size() < n) row.resize(n);
    float* e = row.data();
    for (int64_t r = 0; r < rows; r++, x += n) {
        float m = -3e38f, s = 0;
        for (int64_t i = 0; i < n; i++) m = std::max(m, up(x[i]));
        for (int64_t i = 0; i < n; i++) { e[i] = quick_exp(up(x[i]) - m); s += e[i]; }
        s = 1.0f / s;
        for (int64_t i = 0; i < n; i++) x[i] = down(e[i] * s);
    }
}

void softmax_backward(const bf* p, bf* dp, int64_t rows, int64_t n) {
    for (int64_t r = 0; r < rows; r++, p += n, dp += n) {
        float s = 0;
        for (int64_t i = 0; i < n; i++) s += up(p[i]) * up(dp[i]);
        for (int64_t i = 0; i < n; i++) dp[i] = down(up(p[i]) * (up(dp[i]) - s));
    }
}
}
