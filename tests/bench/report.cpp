// SPDX-License-Identifier: MIT
#include "tests/bench/report.h"

#include <QDateTime>
#include <QJsonDocument>
#include <QJsonObject>
#include <QSysInfo>
#include <QTextStream>
#include <QThread>

#include <cstdio>

namespace isol8::bench {

using namespace Qt::StringLiterals;

namespace {

QString number(double value)
{
    return QString::number(value, 'f', value < 100 ? 2 : 0);
}

QString ratioOf(const Report::Row& row)
{
    return row.referenceValue > 0 ? number(row.value / row.referenceValue) : QString();
}

} // namespace

void Report::add(Row row)
{
    const auto beside = row.reference.isEmpty()
        ? QString()
        : u", %1 %2, ratio %3"_s.arg(row.reference, number(row.referenceValue), ratioOf(row));
    std::fprintf(stderr, "%s: %s %s%s\n", qPrintable(row.name), qPrintable(number(row.value)),
        qPrintable(row.unit), qPrintable(beside));
    m_rows << std::move(row);
}

void Report::addRatio(Row row, double greatestRatio)
{
    row.goal = u"≤ %1 ×"_s.arg(greatestRatio);
    row.isReached = row.value <= greatestRatio * row.referenceValue;
    add(std::move(row));
}

void Report::fail(const QString& what)
{
    std::fprintf(stderr, "WRONG: %s\n", qPrintable(what));
    m_failures << what;
}

QString Report::table() const
{
    QString text;
    QTextStream out(&text);
    out << "| | value | reference | | ratio | goal | |\n|---|---|---|---|---|---|---|\n";
    for (const auto& row : m_rows) {
        out << "| " << row.name << " | " << number(row.value) << ' ' << row.unit << " | "
            << row.reference << " | "
            << (row.reference.isEmpty() ? QString() : number(row.referenceValue)) << " | "
            << ratioOf(row) << " | " << row.goal << " | "
            << (row.isReached ? (*row.isReached ? u"yes"_s : u"NO"_s) : QString()) << " |\n";
    }
    for (const auto& failure : m_failures)
        out << "\nWRONG: " << failure << '\n';
    return text;
}

QByteArray Report::json() const
{
    QJsonArray rows;
    for (const auto& row : m_rows) {
        QJsonObject object { { u"name"_s, row.name }, { u"value"_s, row.value },
            { u"unit"_s, row.unit } };
        if (!row.reference.isEmpty()) {
            object.insert(u"reference"_s, row.reference);
            object.insert(u"referenceValue"_s, row.referenceValue);
            object.insert(u"ratio"_s, row.value / row.referenceValue);
        }
        if (row.isReached) {
            object.insert(u"goal"_s, row.goal);
            object.insert(u"isReached"_s, *row.isReached);
        }
        rows << object;
    }
    const QJsonObject document { { u"version"_s, QStringLiteral(ISOL8_VERSION) },
        { u"time"_s, QDateTime::currentDateTimeUtc().toString(Qt::ISODate) },
        { u"kernel"_s, QSysInfo::kernelVersion() }, { u"cores"_s, QThread::idealThreadCount() },
        { u"rows"_s, rows }, { u"wrong"_s, QJsonArray::fromStringList(m_failures) } };
    return QJsonDocument(document).toJson();
}

} // namespace isol8::bench
