// SPDX-License-Identifier: MIT
#pragma once

#include "tests/abuse/subject.h"

#include <QTest>

#include <span>

namespace isol8::tests {

/// What a case gets.
struct World {
    QByteArray marker; ///< Random; give it to whatever the case starts, in its arguments or name.
    QByteArray secret; ///< Random; nobody but the attacker may ever read it.
    QString canary; ///< Path of a file on this machine that nobody may read.
};

/// One case of ABUSE.md. Both functions assert with Qt Test's macros.
template <typename Test> struct Case {
    const char* id; ///< For example `HTTP-04`; further rows of one case add a word.
    void (Test::*attack)(World& world); ///< The forbidden act, which is seen to be refused.
    void (Test::*twin)(World& world); ///< The innocent act next to it, which works.
};

/// The base of tst_abuse_…: has a table of cases, and runs each with what section A of ABUSE.md
/// demands around it: a neighbour works during the attack (P4), and afterwards nothing is left (P2,
/// P8), a sandbox is as clean as a fresh one (P3), isol8's process has not grown (P5), no canary
/// was read (P6) and no secret was told (P7). That answers are true (P1) the cases check
/// themselves, with untruth(). To run one case: `tst_abuse_http attack:HTTP-04`.
class AbuseTest : public QObject {
    Q_OBJECT

protected:
    explicit AbuseTest(std::function<std::unique_ptr<Subject>()> makeSubject);
    ~AbuseTest() override;

    template <typename Test> static void addRows(std::span<const Case<Test>> cases)
    {
        QTest::addColumn<int>("index");
        for (size_t i = 0; i < cases.size(); ++i)
            QTest::newRow(cases[i].id) << int(i);
    }
    /// The case of the current row.
    template <typename Test> void perform(Test* test, std::span<const Case<Test>> cases)
    {
        QFETCH(int, index);
        const auto& each = cases[size_t(index)];
        perform([&](World& world) { (test->*each.attack)(world); },
            [&](World& world) { (test->*each.twin)(world); });
    }

    [[nodiscard]] Subject& subject();
    [[nodiscard]] docker::Client& client() { return *m_client; }

private Q_SLOTS:
    void cleanupTestCase();

private:
    using Act = std::function<void(World&)>;
    void perform(const Act& attack, const Act& twin);
    /// What a program of the neighbour finds in its sandbox.
    [[nodiscard]] Result<QByteArray> probe();

    std::function<std::unique_ptr<Subject>()> m_makeSubject;
    std::unique_ptr<Subject> m_subject;
    std::unique_ptr<docker::Client> m_client;
    QByteArray m_cleanProbe;
    QTemporaryDir m_folder;
};

/// P1: what in a result contradicts itself; empty: nothing.
[[nodiscard]] QByteArray untruth(const ExecutionResult& result);

} // namespace isol8::tests
