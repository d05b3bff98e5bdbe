// Fused row-wise steps of the network for one CPU core, in float32.
// Built and called by kernels.py. Every function has its gradient beside it.
#include <cmath>
#include <cstdint>
#include <cstring>
#include <algorithm>
#include <vector>

// exp, good to 5e-5
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
void rms_forward(const float* x, const float* w, const float* res, float* out, int64_t rows, int d) {
    for (int64_t r = 0; r < rows; r++, x += d, out += d) {
        float s = 0;
        for (int i = 0; i < d; i++) { float a = (x[i]); s += a * a; }
        s = 1.0f / std::sqrt(s / d + 1e-6f);
        if (w) for (int i = 0; i < d; i++) out[i] = ((res ? (res[i]) : 0.0f) + (x[i]) * s * w[i]);
        else for (int i = 0; i < d; i++) out[i] = ((res ? (res[i]) : 0.0f) + (x[i]) * s);
        if (res) res += d;
    }
}

void rms_backward(const float* g, const float* x, const float* w, float* gx, float* gw, int64_t rows, int d) {
    for (int64_t r = 0; r < rows; r++, x += d, g += d, gx += d) {
        float s = 0, t = 0;
        if (w) for (int i = 0; i < d; i++) { float a = (x[i]); s += a * a; t += a * w[i] * (g[i]); }
        else for (int i = 0; i < d; i++) { float a = (x[i]); s += a * a; t += a * (g[i]); }
        s = 1.0f / std::sqrt(s / d + 1e-6f);
        t *= s * s / d;
        if (w) for (int i = 0; i < d; i++) {
            float a = (x[i]), b = (g[i]);
            gw[i] += b * a * s;
            gx[i] = (s * (b * w[i] - a * t));
        } else for (int i = 0; i < d; i++) gx[i] = (s * ((g[i]) - (x[i]) * t));
    }
}

// Heads: x is [B, N, stride] with H heads of width d side by side from column `first`; out is [B, H, N, d].
// rms norm (weight may be null), then rotation in blocks of 2*half (cos null: none).
// cos, sin: [N, d/2], or [B, N, d/2] with own = 1.
void heads_forward(const float* x, const float* w, const float* cs, const float* sn, float* out, int64_t B, int64_t N, int H,
                   int d, int64_t stride, int64_t first, int half, int own) {
    float v[256];
    for (int64_t b = 0; b < B; b++) for (int64_t n = 0; n < N; n++) for (int h = 0; h < H; h++) {
        const float* p = x + (b * N + n) * stride + first + h * d;
        float* o = out + ((b * H + h) * N + n) * d;
        float s = 0;
        for (int i = 0; i < d; i++) { v[i] = (p[i]); s += v[i] * v[i]; }
        s = 1.0f / std::sqrt(s / d + 1e-6f);
        if (w) for (int i = 0; i < d; i++) v[i] *= s * w[i];
        else for (int i = 0; i < d; i++) v[i] *= s;
        if (!cs) { for (int i = 0; i < d; i++) o[i] = (v[i]); continue; }
        const float* c = cs + ((own ? b * N : 0) + n) * (d / 2);
        const float* e = sn + ((own ? b * N : 0) + n) * (d / 2);
        for (int k = 0; k < d; k += 2 * half, c += half, e += half)
            for (int j = 0; j < half; j++) {
                float a = v[k + j], z = v[k + half + j];
                o[k + j] = (a * c[j] - z * e[j]);
                o[k + half + j] = (z * c[j] + a * e[j]);
            }
    }
}

void heads_backward(const float* g, const float* x, const float* w, const float* cs, const float* sn, float* gx, float* gw,
                    int64_t B, int64_t N, int H, int d, int64_t stride, int64_t first, int half, int own) {
    float v[256];
    for (int64_t b = 0; b < B; b++) for (int64_t n = 0; n < N; n++) for (int h = 0; h < H; h++) {
        int64_t at = (b * N + n) * stride + first + h * d;
        const float* p = x + at;
        float* q = gx + at;
        const float* o = g + ((b * H + h) * N + n) * d;
        if (cs) {
            const float* c = cs + ((own ? b * N : 0) + n) * (d / 2);
            const float* e = sn + ((own ? b * N : 0) + n) * (d / 2);
            for (int k = 0; k < d; k += 2 * half, c += half, e += half)
                for (int j = 0; j < half; j++) {
                    float a = (o[k + j]), z = (o[k + half + j]);
                    v[k + j] = a * c[j] + z * e[j];
                    v[k + half + j] = z * c[j] - a * e[j];
                }
        } else for (int i = 0; i < d; i++) v[i] = (o[i]);
        float s = 0, t = 0;
        if (w) for (int i = 0; i < d; i++) { float a = (p[i]); s += a * a; t += a * w[i] * v[i]; }
        else for (int i = 0; i < d; i++) { float a = (p[i]); s += a * a; t += a * v[i]; }
        s = 1.0f / std::sqrt(s / d + 1e-6f);
        t *= s * s / d;
        if (w) for (int i = 0; i < d; i++) {
            float a = (p[i]);
            gw[i] += v[i] * a * s;
            q[i] = (s * (v[i] * w[i] - a * t));
        } else for (int i = 0; i < d; i++) q[i] = (s * (v[i] - (p[i]) * t));
    }
}

// out = gelu_tanh(gate) * up;  gate_up is [rows, 2d]
void gated_forward(const float* x, float* out, int64_t rows, int d) {
    const float k = 2.0f * 0.7978845608f;
    for (int64_t r = 0; r < rows; r++, x += 2 * d, out += d)
        for (int i = 0; i < d; i++) {
            float a = (x[i]), b = (x[d + i]);
            float s = 1.0f / (1.0f + quick_exp(std::min(80.0f, -k * (a + 0.044715f * a * a * a))));
            out[i] = (a * s * b);
        }
}

void gated_backward(const float* g, const float* x, float* gx, int64_t rows, int d) {
    const float k = 2.0f * 0.7978845608f;
    for (int64_t r = 0; r < rows; r++, x += 2 * d, gx += 2 * d, g += d)
        for (int i = 0; i < d; i++) {
            float a = (x[i]), b = (x[d + i]), e = (g[i]);
            float s = 1.0f / (1.0f + quick_exp(std::min(80.0f, -k * (a + 0.044715f * a * a * a))));
            gx[d + i] = (e * a * s);
            gx[i] = (e * b * (s + a * s * (1.0f - s) * k * (1.0f + 0.134145f * a * a)));
        }
}

// softmax of each row, in place; and its gradient, in place of dp
void softmax_forward(float* x, int64_t rows, int64_t n) {
    static thread_local std::vector<float> row;
    if ((int64_t)row.size() < n) row.resize(n);
    float* e = row.data();
    for (int64_t r = 0; r < rows; r++, x += n) {
        float m = -3e38f, s = 0;
        for (int64_t i = 0; i < n; i++) m = std::max(m, (x[i]));
        for (int64_t i = 0; i < n; i++) { e[i] = quick_exp((x[i]) - m); s += e[i]; }
        s = 1.0f / s;
        for (int64_t i = 0; i < n; i++) x[i] = (e[i] * s);
    }
}

void softmax_backward(const float* p, float* dp, int64_t rows, int64_t n) {
    for (int64_t r = 0; r < rows; r++, p += n, dp += n) {
        float s = 0;
        for (int64_t i = 0; i < n; i++) s += (p[i]) * (dp[i]);
        for (int64_t i = 0; i < n; i++) dp[i] = ((p[i]) * ((dp[i]) - s));
    }
}
}
