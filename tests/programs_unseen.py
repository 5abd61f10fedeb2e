"""Programs that were written without a look at the compiler: layers, losses, kernels of physics."""

from __future__ import annotations

PROGRAMS: dict[str, tuple[str, dict[str, int]]] = {
    "groupnorm_silu": (
        """
input x[B,Q,P,H,W], R[B,Q,P,H,W]
param g[Q,P], b[Q,P]
for n,q  m[n,q] = mean[p,h,w](x[n,q,p,h,w])
for n,q  v[n,q] = mean[p,h,w]((x[n,q,p,h,w]-m[n,q])**2)
for n,q,p,h,w  y[n,q,p,h,w] = silu(g[q,p] (x[n,q,p,h,w]-m[n,q])/sqrt(v[n,q]+1e-5) + b[q,p])
L = sum[n,q,p,h,w](y[n,q,p,h,w] R[n,q,p,h,w])
output L
""",
        {"B": 2, "Q": 2, "P": 2, "H": 2, "W": 3},
    ),
    "depthwise": (
        """
input x[B,C,H,W], R[B,C,H-2,W-2]
param k[C,3,3]
for n,c,i,j  y[n,c,i,j] = sum[u,v](x[n,c,i+u,j+v] k[c,u,v])
for n,c,i,j  L += relu(y[n,c,i,j]) R[n,c,i,j]
output L
""",
        {"B": 2, "C": 2, "H": 4, "W": 5},
    ),
    "dilated1d": (
        """
input x[B,T,C], R[B,T-8,D]
param k[3,C,D]
for n,t,d  y[n,t,d] = tanh(sum[u,c](x[n,t+4*u,c] k[u,c,d]))
for n,t,d  L += y[n,t,d] R[n,t,d]
output L
""",
        {"B": 1, "T": 10, "C": 2, "D": 3},
    ),
    "transposed_conv": (
        """
input x[B,C,H,W], R[B,D,2*H+2,2*W+2]
param k[C,D,4,4]
for n<B,d<D,p<2*H+2,q<2*W+2:  y[n,d,p,q] = 0
for n,c,h,w,d,u,v  y[n,d,2*h+u,2*w+v] += x[n,c,h,w] k[c,d,u,v]
for n,d,p,q  L += y[n,d,p,q]**2 R[n,d,p,q]
output L
""",
        {"B": 1, "C": 2, "D": 2, "H": 2, "W": 3},
    ),
    "local_alibi": (
        """
input q[B,H,T,D], k[B,H,T,D], v[B,H,T,D], s[H], R[B,H,T,D]
for b,h,i,j if j <= i and i - j < 64:   a[b,h,i,j] = sum[d](q[b,h,i,d] k[b,h,j,d])/8 - s[h] (i-j)
for b,h,i,j if j <= i and i - j < 64:   p[b,h,i,j] = softmax[j if j <= i and i - j < 64](a[b,h,i,j])
for b,h,i,d   y[b,h,i,d] = sum[j if j <= i and i - j < 64](p[b,h,i,j] v[b,h,j,d])
for b,h,i,d   L += y[b,h,i,d] R[b,h,i,d]
output L
""",
        {"B": 1, "H": 2, "T": 5, "D": 2},
    ),
    "sinkhorn": (
        """
input C[N,M], a[N], b[M]
for i,j   K[i,j] = exp(-C[i,j])
for i     u[0,i] = 1
for t<3:
  for j   v[t,j] = b[j] / sum[i](K[i,j] u[t,i])
  for i   u[t+1,i] = a[i] / sum[j](K[i,j] v[t,j])
for i,j   L += u[3,i] K[i,j] v[2,j] C[i,j]
output L
""",
        {"N": 3, "M": 4},
    ),
    "volume_render": (
        """
input s[N,S], c[N,S,3], d[N,S], R[N,3]
for r,i   al[r,i] = 1 - exp(-relu(s[r,i]) d[r,i])
for r,i   P[r,i] = cumprod[i](1 - al[r,i] + 1e-10)
for r,i   T[r,i] = where(i == 0, 1, P[r,i-1])
for r,k   y[r,k] = sum[i](T[r,i] al[r,i] sigmoid(c[r,i,k]))
for r,k   L += y[r,k] R[r,k]
output L
""",
        {"N": 2, "S": 4},
    ),
    "gat": (
        """
input h[N,F], src[E]: int, dst[E]: int, R[N,D]
param Wt[F,D], al[D], ar[D]
for n,d  z[n,d] = sum[f](h[n,f] Wt[f,d])
for n    l[n] = sum[d](z[n,d] al[d])
for n    r[n] = sum[d](z[n,d] ar[d])
for e    s[e] = max(l[src[e]] + r[dst[e]], 0.2 (l[src[e]] + r[dst[e]]))
for n<N:    m[n] = -inf
for e    m[dst[e]] max= s[e]
for e    w[e] = exp(s[e] - stopgrad(m[dst[e]]))
for n<N: t[n] = 0
for e    t[dst[e]] += w[e]
for n<N,d<D: y[n,d] = 0
for e,d  y[dst[e],d] += w[e]/t[dst[e]] z[src[e],d]
for n,d  L += y[n,d] R[n,d]
output L
""",
        {"N": 4, "E": 6, "F": 2, "D": 2},
    ),
    "grid_sample": (
        """
input x[B,H,W,C], gy[B,P], gx[B,P], R[B,P,C]
for b,p  y0[b,p] = int(floor(gy[b,p]))
for b,p  x0[b,p] = int(floor(gx[b,p]))
for b,p  fy[b,p] = gy[b,p] - y0[b,p]
for b,p  fx[b,p] = gx[b,p] - x0[b,p]
for b,p,u<2: wy[b,p,u] = where(u == 1, fy[b,p], 1-fy[b,p])
for b,p,v<2: wx[b,p,v] = where(v == 1, fx[b,p], 1-fx[b,p])
for b,p,c,u<2,v<2:
    o[b,p,c] += wy[b,p,u] wx[b,p,v] x[b, clamp(y0[b,p]+u), clamp(x0[b,p]+v), c]
for b,p,c  L += o[b,p,c] R[b,p,c]
output L
""",
        {"B": 1, "H": 3, "W": 4, "C": 2, "P": 3},
    ),
    "cox": (
        """
input X[N,F], ev[N]
param w[F]
for n   z[n] = sum[f](X[n,f] w[f])
for n   S[n] = sum[m if m >= n](exp(z[m]))
L = 0
for n   L -= ev[n] (z[n] - log(S[n]))
output L
""",
        {"N": 5, "F": 2},
    ),
    "fm": (
        """
input X[N,F], y[N]
param w[F], V[F,K], b
for n   q[n] = sum[k]((sum[f](X[n,f] V[f,k]))**2 - sum[f](X[n,f]**2 V[f,k]**2))
for n   z[n] = b + sum[f](X[n,f] w[f]) + 0.5 q[n]
for n   L += log(1+exp(-y[n] z[n])) / N
output L
""",
        {"N": 3, "F": 3, "K": 2},
    ),
    "nbody": (
        """
input x[N,3], m[N]
for i,j  L -= 0.5 m[i] m[j] / sqrt(sum[k]((x[j,k]-x[i,k])**2) + 0.01)
output L
""",
        {"N": 4},
    ),
    "relpos": (
        """
input q[B,T,D], k[B,T,D], v[B,T,D], R[B,T,D]
param rel[2*T-1,D]
for b,i,j  a[b,i,j] = sum[d](q[b,i,d] k[b,j,d]) + sum[d](q[b,i,d] rel[i-j+T-1,d])
for b,i,j  p[b,i,j] = softmax[j](a[b,i,j]/8)
for b,i,d  y[b,i,d] = sum[j](p[b,i,j] v[b,j,d])
for b,i,d  L += y[b,i,d] R[b,i,d]
output L
""",
        {"B": 1, "T": 4, "D": 2},
    ),
    "moe_dense": (
        """
input x[N,D], R[N,D]
param Wg[D,E], W1[E,D,H], W2[E,H,D]
for n,e  a[n,e] = sum[d](x[n,d] Wg[d,e])
for n,e  g[n,e] = softmax[e](a[n,e])
for n,e,h  z[n,e,h] = relu(sum[d](x[n,d] W1[e,d,h]))
for n,d  y[n,d] = sum[e,h](g[n,e] z[n,e,h] W2[e,h,d])
for n,d  L += y[n,d] R[n,d]
output L
""",
        {"N": 3, "D": 2, "E": 2, "H": 3},
    ),
    "capsules": (
        """
input u[N,I,J,D], R[N,J,D]
for n,i,j  b[0,n,i,j] = 0
for r<3:
  for n,i,j  c[r,n,i,j] = softmax[j](b[r,n,i,j])
  for n,j,d  s[r,n,j,d] = sum[i](c[r,n,i,j] u[n,i,j,d])
  for n,j    q[r,n,j] = sum[d](s[r,n,j,d]**2)
  for n,j,d  v[r,n,j,d] = q[r,n,j]/(1+q[r,n,j]) s[r,n,j,d]/sqrt(q[r,n,j]+1e-8)
  for n,i,j  b[r+1,n,i,j] = b[r,n,i,j] + sum[d](u[n,i,j,d] v[r,n,j,d])
for n,j,d  L += v[2,n,j,d] R[n,j,d]
output L
""",
        {"N": 2, "I": 3, "J": 2, "D": 2},
    ),
    "s4d": (
        """
input x[T,B,C], R[T,B,C]
param A[C,S], Bm[C,S], Cm[C,S]
for b,c,s  h[0,b,c,s] = 0
for t<T:
  for b,c,s  h[t+1,b,c,s] = exp(-exp(A[c,s])) h[t,b,c,s] + x[t,b,c] Bm[c,s]
for t,b,c  y[t,b,c] = sum[s](h[t+1,b,c,s] Cm[c,s])
for t,b,c  L += y[t,b,c] R[t,b,c]
output L
""",
        {"T": 4, "B": 2, "C": 2, "S": 2},
    ),
    "triplet": (
        """
input X[N,F], y[N]: int
for a,b  d[a,b] = sum[f]((X[a,f]-X[b,f])**2)
for a,p,n if y[a] == y[p] and y[a] != y[n]:   L += relu(d[a,p] - d[a,n] + 1)
output L
""",
        {"N": 5, "F": 2},
    ),
    "upsample_bilinear": (
        """
input x[B,C,H,W], R[B,C,2*H,2*W]
for b,c,i<2*H,j<W:  a[b,c,i,j] = 0.75 x[b,c,i//2,j] + 0.25 x[b,c,clamp(i//2 + 2*(i%2) - 1),j]
for b,c,i<2*H,j<2*W:  y[b,c,i,j] = 0.75 a[b,c,i,j//2] + 0.25 a[b,c,i,clamp(j//2 + 2*(j%2) - 1)]
for b,c,i,j  L += y[b,c,i,j]**2 R[b,c,i,j]
output L
""",
        {"B": 1, "C": 2, "H": 3, "W": 4},
    ),
    "nearest": (
        """
input x[B,C,H,W], R[B,C,2*H,2*W]
for b,c,i<2*H,j<2*W:  y[b,c,i,j] = x[b,c,i//2,j//2]
for b,c,i,j  L += y[b,c,i,j]**2 R[b,c,i,j]
output L
""",
        {"B": 1, "C": 2, "H": 3, "W": 2},
    ),
    "lbm_step": (
        """
input f[9,H,W], cx[9]: int, cy[9]: int, wt[9], R[H,W]
for i,j  rho[i,j] = sum[q](f[q,i,j])
for i,j  ux[i,j] = sum[q](f[q,i,j] cx[q]) / rho[i,j]
for i,j  uy[i,j] = sum[q](f[q,i,j] cy[q]) / rho[i,j]
for q,i,j  cu[q,i,j] = cx[q] ux[i,j] + cy[q] uy[i,j]
for i,j  uu[i,j] = ux[i,j]**2 + uy[i,j]**2
for q,i,j  e[q,i,j] = wt[q] rho[i,j] (1 + 3 cu[q,i,j] + 4.5 cu[q,i,j]**2 - 1.5 uu[i,j])
for q,i,j  g[q,i,j] = f[q,i,j] - 0.6 (f[q,i,j] - e[q,i,j])
for q,i,j  s[q,i,j] = g[q,wrap(i-cx[q]),wrap(j-cy[q])]
for q,i,j  L += s[q,i,j]**2 R[i,j]
output L
""",
        {"H": 3, "W": 4},
    ),
    "fdtd": (
        """
input c[N,M], E0[N,M]
for i,j  E[i,j] = E0[i,j]
dim X[N,M]
dim Y[N,M]
for t < 3:
  for i < N, j < M-1: X[i,j] -= 0.5 (E[i,j+1] - E[i,j])
  for i < N-1, j < M: Y[i,j] += 0.5 (E[i+1,j] - E[i,j])
  for i in range(1,N), j in range(1,M): E[i,j] += c[i,j] (Y[i,j] - Y[i-1,j] - X[i,j] + X[i,j-1])
for i,j  L += E[i,j]**2
output L
""",
        {"N": 4, "M": 3},
    ),
    "ising": (
        """
input s[N,M], J[N,M]
for i,j  L -= J[i,j] s[i,j] (s[wrap(i+1),j] + s[i,wrap(j+1)])
output L
""",
        {"N": 3, "M": 4},
    ),
    "tv_denoise": (
        """
input u[N,M], g[N,M]
for i,j  dx[i,j] = where(i < N-1, u[i+1,j] - u[i,j], 0)
for i,j  dy[i,j] = where(j < M-1, u[i,j+1] - u[i,j], 0)
for i,j  L += 0.5 (u[i,j] - g[i,j])**2 + 0.1 sqrt(dx[i,j]**2 + dy[i,j]**2 + 1e-3)
output L
""",
        {"N": 3, "M": 4},
    ),
    "haar": (
        """
input x[N], w[N]
for i < N//2: a[i] = (x[2*i] + x[2*i+1]) / sqrt(2)
for i < N//2: d[i] = (x[2*i] - x[2*i+1]) / sqrt(2)
for i < N//2: L += abs(a[i]) w[i] + d[i]**2 w[i + N//2]
output L
""",
        {"N": 8},
    ),
    "masked_lm": (
        """
input h[T,D], y[T]: int, m[T]
param E[V,D]
for t,v  z[t,v] = sum[d](h[t,d] E[v,d])
for t    L -= m[t] (z[t,y[t]] - logsumexp[v](z[t,v]))
output L
""",
        {"T": 3, "D": 2, "V": 4},
    ),
    "wavenet": (
        """
input x[B,T,C], R[B,T,C]
param kf[2,C,C], kg[2,C,C]
for b,t,c  a[b,t,c] = sum[u,d](x[b,pad(t-4+4*u),d] kf[u,d,c])
for b,t,c  g[b,t,c] = sum[u,d](x[b,pad(t-4+4*u),d] kg[u,d,c])
for b,t,c  y[b,t,c] = tanh(a[b,t,c]) sigmoid(g[b,t,c]) + x[b,t,c]
for b,t,c  L += y[b,t,c] R[b,t,c]
output L
""",
        {"B": 1, "T": 6, "C": 2},
    ),
    "mdn": (
        """
input x[N,D], y[N]
param W1[D,H], Wp[H,K], Wm[H,K], Ws[H,K]
for n,j  h[n,j] = tanh(sum[d](x[n,d] W1[d,j]))
for n,k  p[n,k] = sum[j](h[n,j] Wp[j,k])
for n,k  lp[n,k] = logsoftmax[k](p[n,k])
for n,k  mu[n,k] = sum[j](h[n,j] Wm[j,k])
for n,k  s[n,k] = exp(sum[j](h[n,j] Ws[j,k]))
for n    L -= logsumexp[k](lp[n,k] - 0.5 ((y[n] - mu[n,k])/s[n,k])**2 - log(s[n,k])) / N
output L
""",
        {"N": 3, "D": 2, "H": 2, "K": 2},
    ),
    "soft_histogram": (
        """
input x[N], c[K], t[K]
for n,k  w[n,k] = softmax[k](-(x[n]-c[k])**2/0.1)
for k    h[k] = mean[n](w[n,k])
for k    L += (h[k]-t[k])**2
output L
""",
        {"N": 5, "K": 3},
    ),
    "lstm_fused": (
        """
input x[T,B,D], R[T,B,H]
param Wx[D,4*H], Wh[H,4*H], b[4*H]
for n<B,k<H: h[0,n,k] = 0
for n<B,k<H: c[0,n,k] = 0
for t<T:
  for n<B,q<4*H: z[t,n,q] = b[q] + sum[d](x[t,n,d] Wx[d,q]) + sum[k](h[t,n,k] Wh[k,q])
  for n<B,k<H: c[t+1,n,k] = sigmoid(z[t,n,H+k]) c[t,n,k] + sigmoid(z[t,n,k]) tanh(z[t,n,3*H+k])
  for n<B,k<H: h[t+1,n,k] = sigmoid(z[t,n,2*H+k]) tanh(c[t+1,n,k])
for t,n,k  L += h[t+1,n,k] R[t,n,k]
output L
""",
        {"T": 3, "B": 2, "D": 2, "H": 2},
    ),
    "power_iteration": (
        """
input A[N,N], v0[N]
for i  v[0,i] = v0[i]
for t<4:
  for i  w[t,i] = sum[j](A[i,j] v[t,j])
  n[t] = sqrt(sum[i](w[t,i]**2))
  for i  v[t+1,i] = w[t,i]/n[t]
L = sum[i,j](v[4,i] A[i,j] v[4,j])
output L
""",
        {"N": 3},
    ),
    "nonlocal_means": (
        """
input x[T]
for i<T-4,j<T-4: d[i,j] = sum[u<5]((x[i+u]-x[j+u])**2)
for i,j  w[i,j] = softmax[j](-d[i,j])
for i<T-4: y[i] = sum[j<T-4](w[i,j] x[j+2])
for i  L += y[i]**2
output L
""",
        {"T": 9},
    ),
    "patch_embed": (
        """
input x[B,H,W,C], R[B,T,D]
param Wp[4*4*C,D], pos[T,D]
for b,i<H//4,j<W//4,d<D: e[b,(W//4)*i+j,d] = sum[u<4,v<4,c](x[b,4*i+u,4*j+v,c] Wp[C*(4*u+v)+c,d])
for b,t,d  L += (e[b,t,d] + pos[t,d])**2 R[b,t,d]
output L
""",
        {"B": 1, "H": 8, "W": 8, "C": 2, "D": 2, "T": 4},
    ),
    "conv3d": (
        """
input x[B,C,D,H,W], R[B,F,D-2,H-2,W-2]
param k[F,C,3,3,3]
for b,f,z,i,j  y[b,f,z,i,j] = relu(sum[c,p,q,r](x[b,c,z+p,i+q,j+r] k[f,c,p,q,r]))
for b,f,z,i,j  L += y[b,f,z,i,j] R[b,f,z,i,j]
output L
""",
        {"B": 1, "C": 2, "D": 4, "H": 5, "W": 4, "F": 2},
    ),
    "grouped_conv": (
        """
input x[B,G,C,H,W], R[B,G,F,H,W]
param k[G,F,C,3,3]
for b,g,f,i<H,j<W: y[b,g,f,i,j] = sum[c,p<3,q<3](x[b,g,c,pad(i+p-1),pad(j+q-1)] k[g,f,c,p,q])
for b,g,f,i,j  L += tanh(y[b,g,f,i,j]) R[b,g,f,i,j]
output L
""",
        {"B": 1, "G": 2, "C": 2, "H": 4, "W": 3, "F": 2},
    ),
    "channel_shuffle": (
        """
input x[B,K,H,W], R[B,K,H,W]
for b,k<K,i,j: y[b,k,i,j] = x[b,(k % 4)*(K//4) + k//4,i,j]
for b,k,i,j  L += y[b,k,i,j]**2 R[b,k,i,j]
output L
""",
        {"B": 2, "K": 8, "H": 3, "W": 2},
    ),
    "unfold_fold": (
        """
input x[B,C,H,W], w[C,3,3]
for b,c,p<3,q<3,i<H-2,j<W-2: u[b,c,p,q,i,j] = x[b,c,i+p,j+q] w[c,p,q]
dim f[B,C,H,W]
for b,c,p<3,q<3,i<H-2,j<W-2: f[b,c,i+p,j+q] += u[b,c,p,q,i,j]
for b,c,i,j  L += f[b,c,i,j]**2
output L
""",
        {"B": 1, "C": 2, "H": 5, "W": 4},
    ),
    "correlation_volume": (
        """
input a[B,D,H,W], b[B,D,H,W], R[B,H,W,5,5]
for n,i,j,p<5,q<5: c[n,i,j,p,q] = sum[d](a[n,d,i,j] b[n,d,pad(i+p-2),pad(j+q-2)])
for n,i,j,p,q  L += c[n,i,j,p,q] R[n,i,j,p,q]
output L
""",
        {"B": 1, "D": 3, "H": 4, "W": 5},
    ),
    "avgpool_overlap": (
        """
input x[B,C,H,W], R[B,C,(H-1)//2,(W-1)//2]
for b,c,i<(H-1)//2,j<(W-1)//2: y[b,c,i,j] = mean[p<3,q<3](x[b,c,2*i+p,2*j+q])
for b,c,i<(H-1)//2,j<(W-1)//2: L += y[b,c,i,j]**2 R[b,c,i,j]
output L
""",
        {"B": 1, "C": 2, "H": 7, "W": 5},
    ),
    "batchnorm_nchw": (
        """
input x[B,C,H,W], R[B,C,H,W]
param g[C], b[C]
for c  m[c] = mean[n,i,j](x[n,c,i,j])
for c  v[c] = mean[n,i,j]((x[n,c,i,j]-m[c])**2)
for n,c,i,j  y[n,c,i,j] = relu(g[c] (x[n,c,i,j]-m[c])/sqrt(v[c]+1e-5) + b[c])
for n,c,i,j  L += y[n,c,i,j] R[n,c,i,j]
output L
""",
        {"B": 2, "C": 3, "H": 3, "W": 2},
    ),
    "instance_norm_lastaxes": (
        """
input x[B,T,C], R[B,T,C]
for b,c  m[b,c] = mean[t](x[b,t,c])
for b,c  s[b,c] = sqrt(mean[t]((x[b,t,c]-m[b,c])**2) + 1e-5)
for b,t,c  y[b,t,c] = (x[b,t,c]-m[b,c])/s[b,c]
for b,t,c  L += gelu(y[b,t,c]) R[b,t,c]
output L
""",
        {"B": 2, "T": 4, "C": 3},
    ),
    "embedding_bag": (
        """
input idx[N,K]: int, R[N,D]
param E[V,D]
for n,d  y[n,d] = mean[k](E[idx[n,k],d])
for n,d  L += y[n,d]**2 R[n,d]
output L
""",
        {"N": 3, "K": 4, "V": 6, "D": 2},
    ),
    "nerf_encoding": (
        """
input x[N,3], R[N,K,3]
param W[K,3]
for n,k,d  y[n,k,d] = sin(2**k pi x[n,d]) W[k,d] + cos(2**k pi x[n,d])
for n,k,d  L += y[n,k,d] R[n,k,d]
output L
""",
        {"N": 3, "K": 2},
    ),
    "dft_power": (
        """
input x[B,N], R[B,N]
for k<N,n<N: c[k,n] = cos(2 pi k n / N)
for k<N,n<N: s[k,n] = sin(2 pi k n / N)
for b,k<N: re[b,k] = sum[n](x[b,n] c[k,n])
for b,k<N: im[b,k] = sum[n](x[b,n] s[k,n])
for b,k  L += log(re[b,k]**2 + im[b,k]**2 + 1) R[b,k]
output L
""",
        {"B": 2, "N": 5},
    ),
    "cross_attention_mask": (
        """
input q[B,H,T,D], k[B,H,S,D], v[B,H,S,D], n[B]: int, R[B,H,T,D]
for b,h,i,j  a[b,h,i,j] = sum[d](q[b,h,i,d] k[b,h,j,d]) / sqrt(D)
for b,h,i,j  p[b,h,i,j] = softmax[j if j <= n[b]](a[b,h,i,j])
for b,h,i,d  y[b,h,i,d] = sum[j if j <= n[b]](p[b,h,i,j] v[b,h,j,d])
for b,h,i,d  L += y[b,h,i,d] R[b,h,i,d]
output L
""",
        {"B": 2, "H": 2, "T": 3, "S": 4, "D": 2},
    ),
    "linear_attention": (
        """
input q[B,T,D], k[B,T,D], v[B,T,E], R[B,T,E]
for b,t,d  f[b,t,d] = exp(q[b,t,d])
for b,t,d  g[b,t,d] = exp(k[b,t,d])
for b,t,d,e  s[b,t,d,e] = sum[u if u <= t](g[b,u,d] v[b,u,e])
for b,t,d  z[b,t,d] = sum[u if u <= t](g[b,u,d])
for b,t,e  y[b,t,e] = sum[d](f[b,t,d] s[b,t,d,e]) / sum[d](f[b,t,d] z[b,t,d])
for b,t,e  L += y[b,t,e] R[b,t,e]
output L
""",
        {"B": 1, "T": 4, "D": 2, "E": 3},
    ),
    "bilinear_pairs": (
        """
input x[N,D], y[M,E], R[N,M]
param W[K,D,E], c[K]
for n,m  s[n,m] = sum[k](c[k] tanh(sum[d,e](x[n,d] W[k,d,e] y[m,e])))
for n,m  L += s[n,m] R[n,m]
output L
""",
        {"N": 3, "M": 2, "D": 2, "E": 3, "K": 2},
    ),
    "tensor_train": (
        """
input x[N,A,B,C], R[N]
param G1[A,P], G2[P,B,Q], G3[Q,C]
for n  y[n] = sum[a,b,c,p,q](x[n,a,b,c] G1[a,p] G2[p,b,q] G3[q,c])
for n  L += y[n]**2 R[n]
output L
""",
        {"N": 2, "A": 2, "B": 3, "C": 2, "P": 2, "Q": 2},
    ),
    "gated_graph_conv": (
        """
input h[N,D], src[E]: int, dst[E]: int, R[N,D]
param W[D,D], U[D,D]
for n<N,d<D: a[n,d] = 0
for e,d  a[dst[e],d] += sigmoid(sum[k](h[dst[e],k] U[k,d]) + sum[k](h[src[e],k] W[k,d])) h[src[e],d]
for n,d  L += (h[n,d] + relu(a[n,d])) R[n,d]
output L
""",
        {"N": 4, "D": 2, "E": 6},
    ),
    "pairwise_distance_hist": (
        """
input x[N,3], c[K], t[K]
for i,j  r[i,j] = sqrt(sum[d]((x[i,d]-x[j,d])**2) + 1e-6)
for k  g[k] = sum[i,j if i != j](exp(-(r[i,j]-c[k])**2))
for k  L += (g[k] - t[k])**2
output L
""",
        {"N": 4, "K": 2},
    ),
    "heat_implicit_thomas": (
        """
input u0[B,N], a[N]
for b,i  d[b,i] = u0[b,i]
for i<N: cp[i] = 0
for i<N:
  m[i] = 2 + a[i] - where(i > 0, 0.5 cp[clamp(i-1)], 0)
  cp[i] = 0.5/m[i]
  for b<B: dp[b,i] = (d[b,i] + where(i > 0, 0.5 dp[b,clamp(i-1)], 0))/m[i]
for i in reversed(range(N)):
  for b<B: x[b,i] = dp[b,i] + where(i < N-1, cp[i] x[b,clamp(i+1)], 0)
for b,i  L += x[b,i]**2
output L
dim dp[B,N]
dim x[B,N]
""",
        {"B": 2, "N": 4},
    ),
    "bspline": (
        """
input t[N], c[K], R[N]
for n  i0[n] = int(floor(t[n]))
for n  u[n] = t[n] - i0[n]
for n  a[n] = (1-u[n])**3 c[clamp(i0[n]-1)] + (3 u[n]**3 - 6 u[n]**2 + 4) c[clamp(i0[n])]
for n  b[n] = (-3 u[n]**3 + 3 u[n]**2 + 3 u[n] + 1) c[clamp(i0[n]+1)] + u[n]**3 c[clamp(i0[n]+2)]
for n  y[n] = (a[n] + b[n])/6
for n  L += y[n]**2 R[n]
output L
""",
        {"N": 4, "K": 5},
    ),
    "bidirectional_rnn": (
        """
input x[T,B,D], R[T,B,H]
param W[D,H], U[H,H], V[D,H], Z[H,H]
for n<B,j<H: f[0,n,j] = 0
for n<B,j<H: g[T,n,j] = 0
for t<T:
  for n<B,j<H: f[t+1,n,j] = tanh(sum[d](x[t,n,d] W[d,j]) + sum[k](f[t,n,k] U[k,j]))
for t in reversed(range(T)):
  for n<B,j<H: g[t,n,j] = tanh(sum[d](x[t,n,d] V[d,j]) + sum[k](g[t+1,n,k] Z[k,j]))
for t<T,n,j: L += f[t+1,n,j] g[t,n,j] R[t,n,j]
output L
""",
        {"T": 3, "B": 2, "D": 2, "H": 3},
    ),
    "pixel_unshuffle_conv": (
        """
input x[B,C,H,W], R[B,F,H//2,W//2]
param k[F,4*C]
for b,c,i<H//2,j<W//2,p<2,q<2: s[b,4*c+2*p+q,i,j] = x[b,c,2*i+p,2*j+q]
for b,f,i<H//2,j<W//2: y[b,f,i,j] = sum[c](k[f,c] s[b,c,i,j])
for b,f,i<H//2,j<W//2: L += silu(y[b,f,i,j]) R[b,f,i,j]
output L
""",
        {"B": 1, "C": 2, "H": 4, "W": 6, "F": 2},
    ),
    "layer_scale_residual_seq": (
        """
input x[B,T,D], R[B,T,D]
param W1[D,4*D], W2[4*D,D], s[D], g[D]
for b,t  v[b,t] = mean[d](x[b,t,d]**2)
for b,t,d  n[b,t,d] = g[d] x[b,t,d]/sqrt(v[b,t]+1e-6)
for b,t,f<4*D: h[b,t,f] = gelu(sum[d](n[b,t,d] W1[d,f]))
for b,t,d  y[b,t,d] = x[b,t,d] + s[d] sum[f](h[b,t,f] W2[f,d])
for b,t,d  L += y[b,t,d] R[b,t,d]
output L
""",
        {"B": 1, "T": 2, "D": 2},
    ),
}
"""Texts, and the dims of small arrays for them."""
