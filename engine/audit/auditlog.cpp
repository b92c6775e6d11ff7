// SPDX-License-Identifier: MIT
#include "engine/audit/auditlog.h"

#include "engine/audit/auditfile.h"
#include "engine/core/background.h"
#include "engine/core/escape.h"
#include "engine/core/hostprocess.h"
#include "engine/core/logging.h"

#include <QDir>
#include <QThreadPool>

#include <cerrno>
#include <cstring>

#include <poll.h>
#include <unistd.h>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace isol8 {

namespace {

constexpr auto diskPatience = 10s;
constexpr qsizetype maxWaitingLines = 1000;
constexpr qsizetype maxWaitingBytes = 16 << 20;

constexpr auto directoryVariable = "ISOL8_AUDIT_DIR";

bool isPlaceChosen(const Settings::Audit& settings)
{
    return !settings.logDirectory.isEmpty() || !qEnvironmentVariableIsEmpty(directoryVariable);
}

QString directoryOf(const Settings::Audit& settings)
{
    QString directory = settings.logDirectory;
    if (directory.isEmpty())
        directory = qEnvironmentVariable(directoryVariable);
    if (directory.isEmpty())
        directory = u".isol8_audit"_s;
    return QDir::cleanPath(QDir::current().absoluteFilePath(directory));
}

Result<> writeToStdout(QByteArrayView line)
{
    while (!line.isEmpty()) {
        const ssize_t count = ::write(STDOUT_FILENO, line.data(), size_t(line.size()));
        if (count >= 0) {
            line = line.sliced(count);
        } else if (errno == EAGAIN) {
            pollfd waiting { STDOUT_FILENO, POLLOUT, 0 };
            ::poll(&waiting, 1, -1);
        } else if (errno != EINTR) {
            return failure(Kind::Internal,
                u"cannot write to standard output: %1"_s.arg(
                    QString::fromLocal8Bit(std::strerror(errno))));
        }
    }
    return {};
}

/// The part that lives on the log's own thread: the lines that wait, and where they go.
class Writer {
public:
    explicit Writer(const Settings::Audit& settings)
        : m_isToStdout(settings.toStdout)
        , m_file(directoryOf(settings),
              { settings.maxFileBytes, settings.retentionDays, isPlaceChosen(settings) })
    {
    }

    [[nodiscard]] QString path() const { return m_isToStdout ? QString() : m_file.path(); }

    void add(const QByteArray& line)
    {
        m_waiting.append(line);
        m_waitingBytes += line.size();
        while (m_waiting.size() > maxWaitingLines
            || (m_waitingBytes > maxWaitingBytes && m_waiting.size() > 1)) {
            m_waitingBytes -= m_waiting.takeFirst().size();
            ++m_lostLines;
        }
    }

    /// Writes what waits. How many lines were lost since this last succeeded.
    Result<qint64> write()
    {
        const auto done = m_isToStdout ? printAll() : appendAll();
        if (!done)
            return std::unexpected(done.error());
        return std::exchange(m_lostLines, 0);
    }

private:
    Result<> printAll()
    {
        for (; !m_waiting.isEmpty(); removeFirst(1)) {
            if (auto done = writeToStdout(m_waiting.constFirst()); !done)
                return done;
        }
        return {};
    }

    Result<> appendAll()
    {
        if (m_waiting.isEmpty())
            return m_file.check();
        while (!m_waiting.isEmpty()) {
            const auto written = m_file.append(m_waiting, QDateTime::currentDateTimeUtc());
            if (!written)
                return std::unexpected(written.error());
            removeFirst(*written);
        }
        return {};
    }

    void removeFirst(qsizetype lines)
    {
        for (const QByteArray& line : m_waiting.first(lines))
            m_waitingBytes -= line.size();
        m_waiting.remove(0, lines);
    }

    bool m_isToStdout;
    AuditFile m_file;
    QByteArrayList m_waiting;
    qsizetype m_waitingBytes = 0;
    qint64 m_lostLines = 0;
};

} // namespace

struct AuditLog::State {
    explicit State(const Settings::Audit& chosen)
        : settings(chosen)
        , writer(std::make_shared<Writer>(chosen))
    {
        thread->setMaxThreadCount(1);
    }

    Settings::Audit settings;
    std::shared_ptr<Writer> writer; ///< Touched on the thread alone.
    std::shared_ptr<QThreadPool> thread = std::make_shared<QThreadPool>();
    bool isFailing = false;

    bool isScriptRunning = false;
    bool isScriptWanted = false; ///< Lines came since it was started.
    bool isScriptFailing = false;
    CancelToken stop;
    std::vector<Completion<>> finishers;
};

/// The coroutines behind the functions of AuditLog.
struct AuditLog::Steps {
    using Log = std::shared_ptr<State>;

    static Task<> nothing() { co_return {}; }

    /// Says the first of failures, and their end.
    static void tell(State& state, const Result<qint64>& written)
    {
        const bool wasFailing = std::exchange(state.isFailing, !written);
        if (!written && !wasFailing)
            qCWarning(logAudit).noquote()
                << u"The audit log cannot be written: %1; %2"_s.arg(written.error().message,
                       state.settings.onFailure == AuditFailure::Refuse
                           ? u"no code runs until it can (audit.onFailure)"_s
                           : u"code runs all the same (audit.onFailure)"_s);
        if (written && wasFailing)
            qCWarning(logAudit).noquote() << (*written == 0
                    ? u"The audit log is written again; nothing is missing"_s
                    : u"The audit log is written again; %1 lines are lost"_s.arg(*written));
    }

    static Task<> admit(Log log, CancelToken cancel)
    {
        auto written = co_await inBackground<qint64>(
            log->thread, [writer = log->writer] { return writer->write(); }, diskPatience, cancel);
        if (!written && written.error().kind == Kind::Cancelled)
            co_return std::unexpected(written.error());
        tell(*log, written);
        if (!written)
            co_return std::unexpected(
                written.error().within(u"no code runs without its audit log"_s));
        co_return {};
    }

    static Task<> note(Log log, AuditedRun run, SecretSet secrets)
    {
        const auto write = [writer = log->writer, settings = log->settings, run, secrets] {
            writer->add(auditLine(run, settings, secrets));
            return writer->write();
        };
        const auto written = co_await inBackground<qint64>(log->thread, write, diskPatience, {});
        tell(*log, written);
        if (!written)
            co_return std::unexpected(written.error());
        if (!log->settings.postLogScript.isEmpty() && !log->settings.toStdout) {
            log->isScriptWanted = true;
            if (!log->isScriptRunning)
                (void)runScript(log);
        }
        co_return {};
    }

    /// One at a time: lines that come while it runs are told by one more start of it.
    static Task<> runScript(Log log)
    {
        log->isScriptRunning = true;
        while (std::exchange(log->isScriptWanted, false) && !log->stop.isCancelled()) {
            HostCommand command;
            command.program = log->settings.postLogScript;
            command.arguments = { log->writer->path() };
            command.environment.remove(u"ISOL8_API_KEY"_s);
            command.timeout = log->settings.scriptTimeout;
            command.hasOwnGroup = true;
            const auto ended = co_await runOnHost(command, {}, log->stop);
            QString reason;
            if (!ended)
                reason = ended.error().message;
            else if (ended->exitCode != 0)
                reason = u"it ended with exit code %1: %2"_s.arg(ended->exitCode)
                             .arg(printable(QString::fromUtf8(ended->errorTail).trimmed()));
            const bool wasFailing = std::exchange(log->isScriptFailing, !reason.isEmpty());
            if (log->isScriptFailing && !wasFailing && !log->stop.isCancelled())
                qCWarning(logAudit).noquote() << u"audit.postLogScript: "_s + reason;
        }
        log->isScriptRunning = false;
        for (const auto& waiting : std::exchange(log->finishers, {}))
            waiting.deliver({});
        co_return {};
    }

    static Task<> finish(Log log)
    {
        if (log->isFailing) {
            const auto write = [writer = log->writer] { return writer->write(); };
            tell(*log, co_await inBackground<qint64>(log->thread, write, diskPatience, {}));
        }
        if (log->isScriptRunning) {
            const Completion<> finished;
            log->finishers.push_back(finished);
            co_await finished.wait();
        }
        co_return {};
    }
};

AuditLog::AuditLog(Settings::Audit settings)
    : m_state(std::make_shared<State>(settings))
{
}

AuditLog::~AuditLog()
{
    m_state->stop.cancel();
}

bool AuditLog::isEnabled() const
{
    return m_state->settings.enabled;
}

Task<> AuditLog::admit(CancelToken cancel)
{
    const bool mustAsk = isEnabled() && m_state->settings.onFailure == AuditFailure::Refuse;
    return mustAsk ? Steps::admit(m_state, std::move(cancel)) : Steps::nothing();
}

Task<> AuditLog::note(AuditedRun run, SecretSet secrets)
{
    return isEnabled() ? Steps::note(m_state, std::move(run), std::move(secrets))
                       : Steps::nothing();
}

Task<> AuditLog::finish()
{
    return Steps::finish(m_state);
}

} // namespace isol8
