// SPDX-License-Identifier: MIT
#include "ui/run/hostjudge.h"

#include <QTest>

using namespace isol8;
using namespace isol8::ui;
using namespace Qt::StringLiterals;

/// What the lists of a filter say about a name.
class TestHostJudge : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void judges_data();
    void judges();
};

void TestHostJudge::judges_data()
{
    QTest::addColumn<QStringList>("allow");
    QTest::addColumn<QStringList>("deny");
    QTest::addColumn<QString>("host");
    QTest::addColumn<HostVerdict::Kind>("kind");
    QTest::addColumn<QString>("rule");
    using Kind = HostVerdict::Kind;
    const QStringList none;
    QTest::newRow("no lists") << none << none << u"example.org"_s << Kind::Allowed << u""_s;
    QTest::newRow("allowed") << QStringList { u"^example\\.org$"_s } << none << u"Example.ORG"_s
                             << Kind::Allowed << u"^example\\.org$"_s;
    QTest::newRow("not among them") << QStringList { u"^example\\.org$"_s } << none
                                    << u"example.org.evil"_s << Kind::Denied << u""_s;
    QTest::newRow("denied first") << QStringList { u"org$"_s } << QStringList { u"^bad\\."_s }
                                  << u"bad.org"_s << Kind::Denied << u"^bad\\."_s;
    QTest::newRow("bad pattern") << QStringList { u"("_s } << none << u"x"_s << Kind::BadPattern
                                 << u"("_s;
    QTest::newRow("long name") << QStringList { u"end$"_s } << none << QString(400, u'a') + u"end"_s
                               << Kind::Denied << u""_s;
    QTest::newRow("costly pattern") << QStringList { u"(a+)+$"_s } << none
                                    << QString(200, u'a') + u'!' << Kind::Denied << u""_s;
}

void TestHostJudge::judges()
{
    QFETCH(QStringList, allow);
    QFETCH(QStringList, deny);
    QFETCH(QString, host);
    NetworkFilter filter;
    filter.allow = allow;
    filter.deny = deny;
    const auto verdict = judgeHost(filter, host);
    QTEST(verdict.kind, "kind");
    QTEST(verdict.rule, "rule");
}

QTEST_GUILESS_MAIN(TestHostJudge)
#include "tst_hostjudge.moc"
