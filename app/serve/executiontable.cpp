// SPDX-License-Identifier: MIT
#include "app/serve/executiontable.h"

#include "engine/core/executionjson.h"
#include "engine/core/names.h"

#include <QDeadlineTimer>

namespace isol8::serve {

using namespace Qt::StringLiterals;

namespace {

constexpr qint64 maxKeptBytes = 64LL << 20;
constexpr size_t maxKeptCount = 10'000;

qint64 sizeOf(const Result<ExecutionResult>& result)
{
    if (!result)
        return result.error().message.size() * qint64(sizeof(QChar));
    qint64 size = result->standardOutput.size() + result->standardError.size();
    for (const auto& content : result->files)
        size += content.size();
    return size;
}

QString stateName(ExecutionTable::State state)
{
    switch (state) {
    case ExecutionTable::State::Queued:
        return u"queued"_s;
    case ExecutionTable::State::Running:
        return u"running"_s;
    case ExecutionTable::State::Finished:
        break;
    }
    return u"finished"_s;
}

} // namespace

struct ExecutionTable::Record {
    QString tenant;
    Runtime runtime = Runtime::Python;
    State state = State::Queued;
    QDateTime since;
    CancelToken cancel;
    std::optional<Result<ExecutionResult>> result;
    QDeadlineTimer keep;
};

ExecutionTable::ExecutionTable(std::chrono::milliseconds keepResults)
    : m_keepResults(keepResults)
{
}

void ExecutionTable::add(const QString& id, const QString& tenant, const ExecutionRequest& request,
    const CancelToken& cancel)
{
    dropOld();
    m_active.begin();
    m_records.insert(id,
        std::make_shared<Record>(Record { tenant, request.runtime, State::Queued,
            QDateTime::currentDateTimeUtc(), cancel, std::nullopt, QDeadlineTimer() }));
}

void ExecutionTable::setRunning(const QString& id)
{
    if (const auto record = m_records.value(id))
        record->state = State::Running;
}

void ExecutionTable::setFinished(const QString& id, const Result<ExecutionResult>& result)
{
    const auto record = m_records.value(id);
    if (!record || record->state == State::Finished)
        return;
    record->state = State::Finished;
    record->result = result;
    record->keep = QDeadlineTimer(m_keepResults);
    m_finished.push_back(id);
    m_keptBytes += sizeOf(result);
    dropOld();
    m_active.end();
}

void ExecutionTable::dropOld()
{
    while (!m_finished.empty()) {
        const auto oldest = m_records.value(m_finished.front());
        // The latest stays however large it is: its client comes for the files in it.
        const bool isTooMuch = m_keptBytes > maxKeptBytes && m_finished.size() > 1;
        if (!oldest->keep.hasExpired() && !isTooMuch && m_finished.size() <= maxKeptCount)
            return;
        m_keptBytes -= sizeOf(*oldest->result);
        m_records.remove(m_finished.front());
        m_finished.pop_front();
    }
}

std::optional<QJsonObject> ExecutionTable::describe(const QString& id, const QString& tenant)
{
    dropOld();
    const auto record = m_records.value(id);
    if (!record || record->tenant != tenant)
        return std::nullopt;
    QJsonObject object { { u"id"_s, id }, { u"state"_s, stateName(record->state) },
        { u"runtime"_s, runtimeName(record->runtime) },
        { u"createdAt"_s, record->since.toString(Qt::ISODateWithMs) } };
    if (record->result && *record->result)
        object.insert(u"result"_s, toJson(**record->result));
    else if (record->result)
        object.insert(u"error"_s, record->result->error().message);
    return object;
}

bool ExecutionTable::cancel(const QString& id, const QString& tenant)
{
    const auto record = m_records.value(id);
    if (!record || record->tenant != tenant)
        return false;
    record->cancel.cancel();
    return true;
}

void ExecutionTable::cancelAll()
{
    const auto records = m_records;
    for (const auto& record : records)
        record->cancel.cancel();
}

} // namespace isol8::serve
