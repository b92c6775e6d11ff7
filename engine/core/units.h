// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"

#include <chrono>

/// Strict numbers with units as people write them in options and settings. Only ASCII digits, no
/// sign, no white space, no fraction but for cores; nothing means "unlimited". @p what is the name
/// of the option or key (`--timeout`, `defaults.timeoutMs`); every error is Kind::Invalid and names
/// it, the value and what is allowed.
namespace isol8 {

/// Timers of 32-bit milliseconds end at 24.8 days.
constexpr std::chrono::milliseconds maxTimeout = std::chrono::hours { 24 * 24 };
constexpr double minCpuLimit = 0.01;
constexpr double maxCpuLimit = 1024;
constexpr qint64 maxSizeBytes = 1LL << 50;

/// `30000` and `30000ms` (milliseconds), `30s`, `5m`, `1h`, `2d`; 1 ms to @p max.
[[nodiscard]] Result<std::chrono::milliseconds> parseDuration(
    const QString& text, const QString& what, std::chrono::milliseconds max = maxTimeout);

/// Bytes from `1048576`, `512b`, `256k`, `512m`, `1g`, `2t`; also `kb`, `KiB` and so on, in any
/// case, always powers of 1024. 1 byte to 1 PiB; whether a limit makes sense is validate()'s to
/// say.
[[nodiscard]] Result<qint64> parseSize(const QString& text, const QString& what);

/// Cores: `2`, `0.5`; 0.01 to 1024.
[[nodiscard]] Result<double> parseCpu(const QString& text, const QString& what);

/// A whole number from @p min to @p max.
[[nodiscard]] Result<qint64> parseCount(
    const QString& text, const QString& what, qint64 min, qint64 max);

/// Bytes for options and files, exact: `512m`, `1g`, `1000`.
[[nodiscard]] QString sizeText(qint64 bytes);
/// Bytes for people: `512 MiB`, `1.5 GiB`, `17 bytes`.
[[nodiscard]] QString formatSize(qint64 bytes);
/// Time for people: `12 ms`, `1.5 s`, `2 min 5 s`, `3 h 20 min`, `2 d 1 h`.
[[nodiscard]] QString formatDuration(std::chrono::milliseconds duration);

} // namespace isol8
