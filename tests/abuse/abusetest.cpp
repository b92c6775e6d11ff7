// SPDX-License-Identifier: MIT
#include "tests/abuse/abusetest.h"

#include "tests/abuse/hoststate.h"
#include "tests/abuse/neighbour.h"

#include <QCoroTask>
#include <QRandomGenerator>
#include <QUuid>

/// The sanitizer would keep what was freed, and its memory be measured with isol8's (P5).
extern "C" const char* __asan_default_options()
{
    return "quarantine_size_mb=8:thread_local_quarantine_size_kb=64";
}

namespace isol8::tests {

using namespace Qt::StringLiterals;

namespace {

constexpr int patience = 120'000;
constexpr qint64 maxGrowthBytes = 64 << 20;
constexpr int maxNewDescriptors = 8;

QByteArray randomName(const char* prefix)
{
    return prefix + QByteArray::number(QRandomGenerator::system()->generate64(), 16);
}

qint64 residentBytes(qint64 pid)
{
    QFile file(u"/proc/%1/statm"_s.arg(pid));
    return file.open(QIODevice::ReadOnly) ? file.readAll().split(' ').value(1).toLongLong() * 4096
                                          : -1;
}

int descriptors(qint64 pid)
{
    return int(QDir(u"/proc/%1/fd"_s.arg(pid)).entryList(QDir::AllEntries | QDir::System).size());
}

} // namespace

AbuseTest::AbuseTest(std::function<std::unique_ptr<Subject>()> makeSubject)
    : m_makeSubject(std::move(makeSubject))
{
}

AbuseTest::~AbuseTest() = default;

Subject& AbuseTest::subject()
{
    return *m_subject;
}

void AbuseTest::cleanupTestCase()
{
    m_subject.reset();
}

Result<QByteArray> AbuseTest::probe()
{
    WatchedRun run(m_subject->neighbour().start(
        requestOf(Runtime::Bash, testData(u"abuse/probe.sh"_s)), {}, {}));
    const auto result = run.result();
    if (!result)
        return std::unexpected(result.error());
    return result->standardOutput + result->standardError;
}

void AbuseTest::perform(const Act& attack, const Act& twin)
{
    if (!m_subject) {
        const auto endpoint = docker::resolveEndpoint();
        QVERIFY(endpoint);
        m_client = std::make_unique<docker::Client>(*endpoint);
        m_subject = m_makeSubject();
        const auto clean = probe();
        QVERIFY2(clean, clean ? "" : qPrintable(clean.error().message));
        QVERIFY(clean->contains("NoNewPrivs:\t1"));
        m_cleanProbe = *clean;
    }
    const auto pid = m_subject->processId();
    const auto before = HostState::now(*m_client);
    const auto residentBefore = residentBytes(pid);
    const auto descriptorsBefore = descriptors(pid);
    Canaries canaries(m_folder.path());
    World world { randomName("marker"), randomName("secret"), canaries.path() };

    Neighbour neighbour(m_subject->neighbour());
    attack(world);
    const bool isWellBeside = neighbour.finish();
    if (QTest::currentTestFailed())
        return;
    QVERIFY2(isWellBeside, neighbour.problem().constData()); // P4
    qInfo("%d runs beside it, the slowest %lld ms", neighbour.runs(),
        static_cast<long long>(neighbour.slowest().count()));

    // The spare that a command leaves is made beside what follows: looked at once, not again.
    QByteArray left;
    const auto isNothingLeft = [&] {
        left = HostState::now(*m_client).newSince(before);
        return left.isEmpty();
    };
    QVERIFY2(QTest::qWaitFor(isNothingLeft, patience), left.constData()); // P2, P8
    QTRY_COMPARE_WITH_TIMEOUT(processesWith(world.marker), QList<QByteArray>(), patience);
    const auto probed = probe(); // P3
    QVERIFY2(probed, probed ? "" : qPrintable(probed.error().message));
    QCOMPARE(QString::fromUtf8(*probed), QString::fromUtf8(m_cleanProbe));
    if (pid != 0) { // P5
        QCOMPARE(m_subject->processId(), pid);
        QTRY_VERIFY_WITH_TIMEOUT(
            residentBytes(pid) > 0 && residentBytes(pid) <= residentBefore + maxGrowthBytes,
            patience);
        QTRY_VERIFY_WITH_TIMEOUT(
            descriptors(pid) <= descriptorsBefore + maxNewDescriptors, patience);
    }
    QVERIFY(canaries.areUntouched()); // P6
    QVERIFY(!m_subject->spoken().contains(world.secret)); // P7

    World innocent { randomName("marker"), randomName("secret"), canaries.path() };
    twin(innocent);
}

QByteArray untruth(const ExecutionResult& result)
{
    const auto reason = result.ending.reason;
    if (result.exitCode < 0 || result.exitCode > 255)
        return "the exit code is none";
    if (result.isTimedOut != (reason == EndReason::Timeout))
        return "timedOut contradicts the ending";
    if (result.isOutOfMemory && result.exitCode == 0)
        return "out of memory, and yet well";
    if (result.isTimedOut && result.exitCode != 137)
        return "a time-out is 137";
    if (!result.signal.isEmpty() && result.exitCode <= 128)
        return "a signal is 128 and more";
    if (reason == EndReason::Cancelled && result.exitCode == 0)
        return "cancelled, and yet well";
    if (QUuid(result.executionId).isNull() || result.containerId.isEmpty())
        return "it has no name";
    return {};
}

} // namespace isol8::tests
