// SPDX-License-Identifier: MIT
#include "tests/engine/guest/guestfixture.h"

#include <QFile>

namespace isol8::test {

using namespace Qt::StringLiterals;

QByteArray processFile(qint64 pid, const char* name)
{
    QFile file(u"/proc/%1/%2"_s.arg(pid).arg(QLatin1StringView(name)));
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

GuestFixture::GuestFixture(const QStringList& arguments, const QString& cgroup, bool mayTrace)
    : m_process(new GuestProcess(arguments, cgroup, mayTrace))
    , m_connection(std::make_unique<GuestConnection>(std::unique_ptr<GuestTransport>(m_process)))
{
    const auto opened = QCoro::waitFor(
        m_connection->open(/*mayHaveHistory=*/false, !arguments.isEmpty(), CancelToken()));
    if (!opened)
        qWarning() << "no guest:" << opened.error().message;
}

GuestFixture::~GuestFixture()
{
    m_connection.reset();
    delete m_process; // else only the next event loop would, and there may be none
}

GuestRunSpec GuestFixture::shell(const QByteArray& script)
{
    GuestRunSpec spec;
    spec.arguments = { "sh", "-c", script };
    spec.environment = { "PATH=/usr/bin:/bin:/usr/sbin:/sbin", "HOME=/sandbox" };
    spec.workingDirectory = "/sandbox";
    spec.isStdinOpen = true;
    return spec;
}

GuestRunSpec GuestFixture::perl(const QByteArray& script)
{
    auto spec = shell({});
    spec.arguments = { "perl", "-e", script };
    return spec;
}

std::unique_ptr<GuestRun> GuestFixture::start(const GuestRunSpec& spec, Ran& ran)
{
    auto run = m_connection->startRun(spec);
    auto* target = &ran;
    QObject::connect(run.get(), &GuestRun::outputReceived, run.get(),
        [target](Channel channel, const QByteArray& bytes) {
            (channel == Channel::Stdout ? target->standardOutput : target->standardError) += bytes;
        });
    QObject::connect(run.get(), &GuestRun::finished, run.get(),
        [target](const Result<guest::RunReport>& report) {
            target->report = report;
            target->isFinished = true;
        });
    return run;
}

Ran GuestFixture::run(const GuestRunSpec& spec, const QByteArray& input)
{
    Ran ran;
    const auto run = start(spec, ran);
    if (spec.isStdinOpen) {
        run->writeStdin(input);
        run->closeStdin();
    }
    if (!QTest::qWaitFor([&ran] { return ran.isFinished; }, patienceMs))
        qWarning() << "the run does not finish";
    return ran;
}

} // namespace isol8::test
