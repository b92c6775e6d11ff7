// SPDX-License-Identifier: MIT
#pragma once

#include "tests/engine/guest/scriptedguest.h"

#include <QCoroTask>
#include <QSignalSpy>
#include <QTest>

namespace isol8::test {

[[nodiscard]] inline QByteArray u32(quint32 value)
{
    return ScriptedTransport::u32(value);
}

[[nodiscard]] inline QByteArray frame(guest::Type type, quint32 id, const QByteArray& payload = {},
    guest::Stream stream = guest::Stream::None)
{
    return ScriptedTransport::frame(type, id, payload, stream);
}

inline constexpr int patienceMs = 60'000;

/// Where a task leaves its result.
template <typename T> struct Outlet {
    std::optional<Result<T>> result;
};

template <typename T> QCoro::Task<> collect(Task<T> task, std::shared_ptr<Outlet<T>> outlet)
{
    outlet->result.emplace(co_await task);
}

template <typename T> std::shared_ptr<Outlet<T>> watch(Task<T> task)
{
    auto outlet = std::make_shared<Outlet<T>>();
    collect(std::move(task), outlet);
    return outlet;
}

[[nodiscard]] inline guest::RunReport exited(quint32 code)
{
    guest::RunReport report;
    report.outcome = guest::Outcome::Exited;
    report.value = code;
    return report;
}

[[nodiscard]] inline GuestRunSpec anySpec()
{
    GuestRunSpec spec;
    spec.arguments = { "true" };
    spec.workingDirectory = "/sandbox";
    spec.isStdinOpen = true;
    return spec;
}

/// The host's side with a guest that does what the test tells it, however wrong; anew for each
/// case.
class ScriptedConversation : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init() { connectAnew(); }
    void cleanup() { m_connection.reset(); }

protected:
    void connectAnew(const GuestLimits& limits = {})
    {
        m_errors.clear();
        auto transport = std::make_unique<ScriptedTransport>();
        m_transport = transport.get();
        m_connection = std::make_unique<GuestConnection>(std::move(transport), limits);
        connect(m_connection.get(), &GuestConnection::failed, this,
            [this](const Error& error) { m_errors.append(error); });
    }

    std::shared_ptr<Outlet<void>> open(bool mayHaveHistory = false)
    {
        auto opened = watch(m_connection->open(mayHaveHistory, /*isLeased=*/false, {}));
        settle();
        return opened;
    }

    void greet()
    {
        const auto opened = open();
        m_transport->greet();
        QVERIFY(opened->result && *opened->result);
    }

    /// Says that @p run has started; its id.
    quint32 started(GuestRun& run)
    {
        const QSignalSpy spy(&run, &GuestRun::started);
        settle();
        const quint32 id = m_transport->lastFrame(guest::Type::Start).id;
        m_transport->say(frame(guest::Type::Started, id, u32(2)));
        return spy.size() == 1 ? id : 0;
    }

    /// Everything queued has happened.
    static void settle()
    {
        for (int i = 0; i < 3; ++i)
            QCoreApplication::processEvents();
    }

    QPointer<ScriptedTransport> m_transport;
    std::unique_ptr<GuestConnection> m_connection;
    QList<Error> m_errors;
};

} // namespace isol8::test
