// SPDX-License-Identifier: MIT
#include "engine/core/units.h"

#include "engine/core/escape.h"

#include <array>
#include <optional>

using namespace Qt::StringLiterals;

namespace isol8 {

namespace {

constexpr int shownCharacters = 60;

struct Unit {
    QLatin1StringView suffix;
    qint64 factor;
};

constexpr std::array timeUnits {
    Unit { ""_L1, 1 },
    Unit { "ms"_L1, 1 },
    Unit { "s"_L1, 1000 },
    Unit { "m"_L1, 60'000 },
    Unit { "h"_L1, 3'600'000 },
    Unit { "d"_L1, 86'400'000 },
};

constexpr std::array sizeUnits {
    Unit { ""_L1, 1 },
    Unit { "b"_L1, 1 },
    Unit { "k"_L1, 1LL << 10 },
    Unit { "kb"_L1, 1LL << 10 },
    Unit { "kib"_L1, 1LL << 10 },
    Unit { "m"_L1, 1LL << 20 },
    Unit { "mb"_L1, 1LL << 20 },
    Unit { "mib"_L1, 1LL << 20 },
    Unit { "g"_L1, 1LL << 30 },
    Unit { "gb"_L1, 1LL << 30 },
    Unit { "gib"_L1, 1LL << 30 },
    Unit { "t"_L1, 1LL << 40 },
    Unit { "tb"_L1, 1LL << 40 },
    Unit { "tib"_L1, 1LL << 40 },
};

bool isDigit(QChar character)
{
    return character >= u'0' && character <= u'9'; // QChar::isDigit() knows other scripts.
}

/// ASCII digits only; none for anything else or beyond 63 bits.
std::optional<qint64> wholeNumber(QStringView digits)
{
    if (digits.isEmpty() || !std::ranges::all_of(digits, isDigit))
        return std::nullopt;
    bool isOk = false;
    const qint64 value = digits.toLongLong(&isOk);
    return isOk ? std::optional(value) : std::nullopt;
}

/// A whole number and one of @p units, at most @p max.
template <typename Units>
std::optional<qint64> quantity(
    QStringView text, const Units& units, Qt::CaseSensitivity sensitivity, qint64 max)
{
    const auto digits = std::ranges::find_if_not(text, isDigit) - text.begin();
    const auto number = wholeNumber(text.first(digits));
    const QStringView suffix = text.sliced(digits);
    const auto unit = std::ranges::find_if(
        units, [&](const Unit& u) { return suffix.compare(u.suffix, sensitivity) == 0; });
    if (!number || unit == units.end() || *number > max / unit->factor)
        return std::nullopt;
    return *number * unit->factor;
}

std::unexpected<Error> badValue(const QString& what, const QString& text, const QString& allowed)
{
    return failure(Kind::Invalid,
        u"%1: invalid value \"%2\": allowed are %3"_s.arg(
            what, printable(text.left(shownCharacters)), allowed));
}

QString withUnit(double value, const QString& unit)
{
    const QString number = QString::number(value, 'f', 1);
    return (number.endsWith(".0"_L1) ? number.chopped(2) : number) + u' ' + unit;
}

} // namespace

Result<std::chrono::milliseconds> parseDuration(
    const QString& text, const QString& what, std::chrono::milliseconds max)
{
    const auto value = quantity(text, timeUnits, Qt::CaseSensitive, max.count());
    if (!value || *value < 1)
        return badValue(what, text,
            u"milliseconds or a whole number with ms, s, m, h or d, from 1 ms to %1"_s.arg(
                formatDuration(max)));
    return std::chrono::milliseconds(*value);
}

Result<qint64> parseSize(const QString& text, const QString& what)
{
    const auto value = quantity(text, sizeUnits, Qt::CaseInsensitive, maxSizeBytes);
    if (!value || *value < 1)
        return badValue(what, text,
            u"bytes or a whole number with k, m, g or t, such as 512m or 1GiB, up to 1024t"_s);
    return *value;
}

Result<double> parseCpu(const QString& text, const QString& what)
{
    const auto isCpuCharacter = [](QChar c) { return isDigit(c) || c == u'.'; };
    bool isOk = !text.isEmpty() && isDigit(text.front()) && isDigit(text.back())
        && std::ranges::all_of(text, isCpuCharacter);
    const double value = isOk ? text.toDouble(&isOk) : 0;
    // The range is also what keeps infinity out.
    if (!isOk || !(value >= minCpuLimit && value <= maxCpuLimit))
        return badValue(what, text,
            u"cores from %1 to %2, such as 0.5 or 2"_s.arg(minCpuLimit).arg(maxCpuLimit));
    return value;
}

Result<qint64> parseCount(const QString& text, const QString& what, qint64 min, qint64 max)
{
    const auto value = wholeNumber(text);
    if (!value || *value < min || *value > max)
        return badValue(what, text, u"whole numbers from %1 to %2"_s.arg(min).arg(max));
    return *value;
}

QString sizeText(qint64 bytes)
{
    static constexpr std::array suffixes { u't', u'g', u'm', u'k' };
    qint64 factor = 1LL << 40;
    for (const char16_t suffix : suffixes) {
        if (bytes >= factor && bytes % factor == 0)
            return QString::number(bytes / factor) + QChar(suffix);
        factor >>= 10;
    }
    return QString::number(bytes);
}

QString formatSize(qint64 bytes)
{
    static const std::array units { u"KiB"_s, u"MiB"_s, u"GiB"_s, u"TiB"_s };
    if (bytes < 1024)
        return bytes == 1 ? u"1 byte"_s : u"%1 bytes"_s.arg(bytes);
    double value = double(bytes) / 1024;
    size_t unit = 0;
    // 1023.95 would be shown as 1024.0.
    while (value >= 1023.95 && unit + 1 < units.size()) {
        value /= 1024;
        ++unit;
    }
    return withUnit(value, units[unit]);
}

QString formatDuration(std::chrono::milliseconds duration)
{
    const qint64 ms = duration.count();
    if (ms < 1000)
        return u"%1 ms"_s.arg(ms);
    if (ms < 59'950)
        return withUnit(double(ms) / 1000, u"s"_s);
    const auto two = [](qint64 value, qint64 perBig, const QString& big, const QString& small) {
        const QString head = u"%1 %2"_s.arg(QString::number(value / perBig), big);
        const qint64 rest = value % perBig;
        return rest == 0 ? head : u"%1 %2 %3"_s.arg(head, QString::number(rest), small);
    };
    const qint64 seconds = (ms + 500) / 1000;
    if (seconds < 3600)
        return two(seconds, 60, u"min"_s, u"s"_s);
    const qint64 minutes = (seconds + 30) / 60;
    if (minutes < 24 * 60)
        return two(minutes, 60, u"h"_s, u"min"_s);
    return two((minutes + 30) / 60, 24, u"d"_s, u"h"_s);
}

} // namespace isol8
