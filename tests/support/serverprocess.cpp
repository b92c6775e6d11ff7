// SPDX-License-Identifier: MIT
#include "tests/support/serverprocess.h"

#include <QDir>
#include <QFile>
#include <QJsonDocument>
#include <QTest>

#include <csignal>

#include <unistd.h>

namespace isol8::tests {

using namespace Qt::StringLiterals;

namespace {

constexpr int patience = 120'000;

QByteArray procFile(qint64 pid, const QString& name)
{
    QFile file(u"/proc/%1/%2"_s.arg(pid).arg(name));
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

} // namespace

ServerProcess::ServerProcess(Options options)
    : m_options(std::move(options))
{
    QDir(m_home.path()).mkpath(u".isol8"_s);
    QFile config(m_home.filePath(u".isol8/config.json"_s));
    if (!config.open(QIODevice::WriteOnly))
        qFatal("cannot write the configuration");
    config.write(QJsonDocument(m_options.config).toJson());

    auto environment = QProcessEnvironment::systemEnvironment();
    environment.insert(u"HOME"_s, m_home.path());
    environment.insert(u"ISOL8_API_KEY"_s, u"master"_s);
    // The sanitizer would keep what was freed, and its memory be measured with isol8's.
    environment.insert(u"ASAN_OPTIONS"_s,
        u"quarantine_size_mb=8:thread_local_quarantine_size_kb=64:allocator_release_to_os_interval_ms=500"_s);
    for (const auto& [name, value] : m_options.variables.asKeyValueRange()) {
        if (value.isEmpty())
            environment.remove(name);
        else
            environment.insert(name, value);
    }
    m_process.setProcessEnvironment(environment);
    m_process.setWorkingDirectory(m_home.path());
    // A test that runs in the background ignores some of them, and its children would too.
    m_process.setChildProcessModifier([] {
        for (const int number : { SIGINT, SIGHUP, SIGTERM })
            std::signal(number, SIG_DFL);
    });
    m_process.setStandardOutputFile(QProcess::nullDevice());
    connect(&m_process, &QProcess::readyReadStandardError, this,
        [this] { m_log += m_process.readAllStandardError(); });
}

ServerProcess::~ServerProcess()
{
    kill();
}

bool ServerProcess::launch(const QRegularExpression& greeting)
{
    m_log.clear();
    m_port = 0;
    m_process.start(QStringLiteral(ISOL8_PROGRAM),
        QStringList { u"serve"_s }
            + (m_options.arguments.contains(u"--port"_s) ? QStringList()
                                                         : QStringList { u"--port"_s, u"0"_s })
            + m_options.arguments);
    QRegularExpressionMatch heard;
    (void)QTest::qWaitFor(
        [&] {
            heard = greeting.match(QString::fromUtf8(m_log));
            return heard.hasMatch() || !isRunning();
        },
        patience);
    m_pid = m_process.processId();
    m_port = heard.captured(1).toUShort();
    return heard.hasMatch();
}

bool ServerProcess::start()
{
    static const QRegularExpression greeting(u"listening on https?://localhost:([0-9]+)"_s);
    return launch(greeting);
}

bool ServerProcess::startOnSocket(const QString& path)
{
    return launch(QRegularExpression(u"listening on unix:"_s + QRegularExpression::escape(path)));
}

void ServerProcess::kill()
{
    if (!isRunning())
        return;
    m_process.kill();
    m_process.waitForFinished(patience);
}

int ServerProcess::terminate()
{
    m_process.terminate();
    if (!QTest::qWaitFor([this] { return !isRunning(); }, patience))
        return -1;
    return m_process.exitStatus() == QProcess::NormalExit ? m_process.exitCode() : -1;
}

void ServerProcess::signal(int number) const
{
    ::kill(pid_t(m_pid), number);
}

qint64 ServerProcess::residentBytes() const
{
    static const QRegularExpression line(u"VmRSS:\\s+([0-9]+) kB"_s);
    return line.match(QString::fromLatin1(procFile(m_pid, u"status"_s))).captured(1).toLongLong()
        << 10;
}

int ServerProcess::descriptorCount() const
{
    return int(QDir(u"/proc/%1/fd"_s.arg(m_pid))
            .entryList(QDir::NoDotAndDotDot | QDir::AllEntries | QDir::System)
            .size());
}

double ServerProcess::processorSeconds() const
{
    // proc_pid_stat(5): utime and stime are the 14th and 15th field; the 2nd may hold blanks.
    const auto stat = procFile(m_pid, u"stat"_s);
    const auto fields = stat.sliced(stat.lastIndexOf(')') + 2).split(' ');
    return (fields.value(11).toDouble() + fields.value(12).toDouble())
        / double(::sysconf(_SC_CLK_TCK));
}

} // namespace isol8::tests
