// SPDX-License-Identifier: MIT
#include "app/cli/dockerage.h"

#include <QTest>

using namespace Qt::StringLiterals;
using namespace isol8;

class TestDockerAge : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void warnsOfKnownHoles_data();
    void warnsOfKnownHoles();
};

void TestDockerAge::warnsOfKnownHoles_data()
{
    QTest::addColumn<QString>("engine");
    QTest::addColumn<QString>("runc");
    QTest::addColumn<QStringList>("texts");
    const auto leak = u"CVE-2024-21626"_s;
    const auto mask = u"CVE-2025-31133"_s;
    QTest::newRow("current") << u"28.5.1"_s << u"1.3.3"_s << QStringList {};
    QTest::newRow("current 1.2") << u"28.5.1"_s << u"1.2.8"_s << QStringList {};
    QTest::newRow("newer") << u"29.0.0"_s << u"1.4.0"_s << QStringList {};
    QTest::newRow("silent daemon") << u"28.5.1"_s << QString() << QStringList {};
    QTest::newRow("engine 20.10") << u"20.10.24+dfsg1"_s << u"1.3.3"_s
                                  << QStringList { u"20.10.24"_s };
    QTest::newRow("runc 1.1.11") << u"28.5.1"_s << u"1.1.11"_s << QStringList { leak, mask };
    QTest::newRow("runc 1.1.5+ds1") << u"28.5.1"_s << u"1.1.5+ds1"_s << QStringList { leak, mask };
    QTest::newRow("runc 1.1.12") << u"28.5.1"_s << u"1.1.12"_s << QStringList { mask };
    QTest::newRow("runc 1.2.7") << u"28.5.1"_s << u"1.2.7"_s << QStringList { mask };
    QTest::newRow("runc 1.3.2") << u"28.5.1"_s << u"1.3.2"_s << QStringList { mask };
    QTest::newRow("nonsense") << u"\x1b[0m"_s << u"latest"_s << QStringList {};
}

void TestDockerAge::warnsOfKnownHoles()
{
    QFETCH(QString, engine);
    QFETCH(QString, runc);
    QFETCH(QStringList, texts);
    docker::ServerVersion version;
    version.version = engine;
    version.runcVersion = runc;
    const auto warnings = cli::dockerAgeWarnings(version);
    QCOMPARE(warnings.size(), texts.size());
    for (qsizetype i = 0; i < texts.size(); ++i)
        QVERIFY2(warnings[i].contains(texts[i]), qPrintable(warnings[i]));
}

QTEST_GUILESS_MAIN(TestDockerAge)
#include "tst_dockerage.moc"
