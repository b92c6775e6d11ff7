// SPDX-License-Identifier: MIT
#include "tests/app/liveprogram.h"

#include "engine/core/owner.h"
#include "engine/sandbox/labels.h"

#include <QFile>
#include <QTest>

#include <csignal>

namespace isol8::tests {

using namespace Qt::StringLiterals;

namespace {

constexpr int patience = 120'000;
constexpr qsizetype atOnce = 4; ///< Programs that mostly wait, and some memory.

void prepare(QProcess& process, const QString& home, const QString& folder)
{
    auto environment = QProcessEnvironment::systemEnvironment();
    environment.insert(u"HOME"_s, home);
    environment.insert(u"ISOL8"_s, QStringLiteral(ISOL8_PROGRAM));
    process.setProcessEnvironment(environment);
    process.setWorkingDirectory(folder);
    // A test that runs in the background ignores some of them, and its children would too.
    process.setChildProcessModifier([] {
        for (const int number : { SIGINT, SIGHUP, SIGQUIT, SIGTERM, SIGPIPE })
            std::signal(number, SIG_DFL);
    });
}

/// Lets the event loop run: other things of the test go on meanwhile.
ProgramEnd endOf(QProcess& process)
{
    if (!QTest::qWaitFor([&] { return process.state() == QProcess::NotRunning; }, patience)) {
        process.kill();
        process.waitForFinished();
        return { -1, process.readAllStandardOutput(), process.readAllStandardError() };
    }
    const int code = process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -1;
    return { code, process.readAllStandardOutput(), process.readAllStandardError() };
}

docker::Endpoint endpoint()
{
    const auto resolved = docker::resolveEndpoint();
    if (!resolved)
        qFatal("no Docker endpoint: %s", qPrintable(resolved.error().message));
    return *resolved;
}

} // namespace

LiveProgram::LiveProgram(const QStringList& arguments, const QString& home, const QString& folder)
{
    prepare(m_process, home, folder);
    m_process.start(QStringLiteral(ISOL8_PROGRAM), arguments);
    m_process.waitForStarted(patience);
    m_pid = m_process.processId();
}

LiveProgram::~LiveProgram()
{
    if (m_process.state() != QProcess::NotRunning) {
        m_process.kill();
        m_process.waitForFinished();
    }
}

void LiveProgram::write(const QByteArray& bytes)
{
    m_process.write(bytes);
}

void LiveProgram::closeStdin()
{
    m_process.closeWriteChannel();
}

bool LiveProgram::waitForOutput(const QByteArray& text)
{
    const bool isEnded = QTest::qWaitFor(
        [&] {
            m_out += m_process.readAllStandardOutput();
            return m_out.contains(text) || m_process.state() == QProcess::NotRunning;
        },
        patience);
    return isEnded && m_out.contains(text);
}

void LiveProgram::signal(int number) const
{
    ::kill(pid_t(m_pid), number);
}

ProgramEnd LiveProgram::end()
{
    if (m_process.state() == QProcess::NotRunning) {
        const int code = m_process.exitStatus() == QProcess::NormalExit ? m_process.exitCode() : -1;
        return { code, m_out + m_process.readAllStandardOutput(),
            m_err + m_process.readAllStandardError() };
    }
    auto end = endOf(m_process);
    end.out.prepend(m_out);
    end.err.prepend(m_err);
    return end;
}

QByteArray LiveProgram::errors()
{
    m_err += m_process.readAllStandardError();
    return m_err;
}

ProgramFixture::ProgramFixture()
    : m_client(std::make_unique<docker::Client>(endpoint()))
{
}

ProgramEnd ProgramFixture::run(const QStringList& arguments, const QByteArray& input) const
{
    QProcess process;
    prepare(process, m_home.path(), m_work.path());
    process.start(QStringLiteral(ISOL8_PROGRAM), arguments);
    process.write(input);
    process.closeWriteChannel();
    return endOf(process);
}

QList<ProgramEnd> ProgramFixture::runAll(const QList<QStringList>& calls) const
{
    std::vector<std::unique_ptr<LiveProgram>> going;
    QList<ProgramEnd> ends;
    for (const auto& arguments : calls) {
        if (qsizetype(going.size()) - ends.size() == atOnce)
            ends << std::exchange(going[size_t(ends.size())], nullptr)->end();
        going.push_back(start(arguments));
        going.back()->closeStdin();
    }
    while (ends.size() < calls.size())
        ends << std::exchange(going[size_t(ends.size())], nullptr)->end();
    return ends;
}

ProgramEnd ProgramFixture::shell(const QString& script) const
{
    QProcess process;
    prepare(process, m_home.path(), m_work.path());
    process.start(u"/bin/bash"_s, { u"-c"_s, script });
    process.closeWriteChannel();
    return endOf(process);
}

std::unique_ptr<LiveProgram> ProgramFixture::start(const QStringList& arguments) const
{
    return std::make_unique<LiveProgram>(arguments, m_home.path(), m_work.path());
}

void ProgramFixture::write(const QString& name, const QByteArray& content) const
{
    QFile file(path(name));
    if (!file.open(QIODevice::WriteOnly) || file.write(content) != content.size())
        qFatal("cannot write %s", qPrintable(name));
}

QByteArray ProgramFixture::read(const QString& name) const
{
    QFile file(path(name));
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray("(no such file)");
}

bool ProgramFixture::isNothingLeftOf(qint64 pid)
{
    const auto self = Owner::self();
    const auto isIts = [&](const docker::ContainerSummary& container) {
        // The spare for the next command is meant to stay.
        if (container.names.value(0).startsWith("isol8-spare-"_L1))
            return false;
        const auto owner = Owner::fromString(container.labels.value(labels::owner));
        return owner && owner->pid == pid && owner->bootId == self.bootId
            && owner->pidNamespace == self.pidNamespace;
    };
    return QTest::qWaitFor(
        [&] {
            const auto all
                = QCoro::waitFor(m_client->listContainers({ labels::managed + u"=true"_s }));
            return all && std::none_of(all->cbegin(), all->cend(), isIts);
        },
        patience);
}

bool ProgramFixture::hasContainer(const QString& id)
{
    return QCoro::waitFor(m_client->inspectContainer(id)).has_value();
}

void ProgramFixture::removeContainer(const QString& id)
{
    const auto removed = QCoro::waitFor(m_client->removeContainer(id));
    QVERIFY2(removed, removed ? "" : qPrintable(removed.error().message));
}

} // namespace isol8::tests
