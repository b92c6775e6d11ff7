// SPDX-License-Identifier: MIT
#include "engine/sandbox/networkenvironment.h"
#include "engine/sandbox/program.h"

#include <QTest>

using namespace isol8;
using namespace Qt::StringLiterals;

/// The variables that lead programs to the proxy and to the certificates.
class TestNetworkEnvironment : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void onlyWhereTheyAreNeeded_data()
    {
        QTest::addColumn<int>("network");
        QTest::addColumn<QString>("bundle");
        QTest::addColumn<bool>("hasProxy");
        QTest::addColumn<bool>("hasBundle");
        QTest::newRow("none") << int(NetworkMode::None) << QString() << false << false;
        QTest::newRow("none, bundle") << int(NetworkMode::None) << u"/ca.pem"_s << false << false;
        QTest::newRow("host") << int(NetworkMode::Host) << QString() << false << false;
        QTest::newRow("host, bundle") << int(NetworkMode::Host) << u"/ca.pem"_s << false << true;
        QTest::newRow("filtered") << int(NetworkMode::Filtered) << QString() << true << false;
        QTest::newRow("filtered, bundle")
            << int(NetworkMode::Filtered) << u"/ca.pem"_s << true << true;
    }
    void onlyWhereTheyAreNeeded()
    {
        QFETCH(int, network);
        QFETCH(QString, bundle);
        ExecutionOptions options;
        options.network = NetworkMode(network);
        options.caBundlePath = bundle;
        const auto list = environmentOf({}, options, {});
        QTEST(list.contains("HTTPS_PROXY=http://127.0.0.1:8118"), "hasProxy");
        QTEST(list.contains("http_proxy=http://127.0.0.1:8118"), "hasProxy");
        QTEST(list.contains("NODE_USE_ENV_PROXY=1"), "hasProxy");
        QTEST(list.contains("SSL_CERT_FILE=/sandbox/.isol8-ca.pem"), "hasBundle");
        QTEST(list.contains("DENO_CERT=/sandbox/.isol8-ca.pem"), "hasBundle");
    }

    void theUsersOwnWins()
    {
        ExecutionOptions options;
        options.network = NetworkMode::Filtered;
        options.caBundlePath = u"/ca.pem"_s;
        ExecutionRequest request;
        request.environment = { { u"HTTP_PROXY"_s, u"http://x:1"_s }, { u"PIP_CERT"_s, u"/y"_s } };
        const auto list = environmentOf(request, options, { u"HTTPS_PROXY=http://image:1"_s });
        QVERIFY(list.contains("HTTP_PROXY=http://x:1"));
        QVERIFY(list.contains("PIP_CERT=/y"));
        // An image's proxy is not there to be reached.
        QVERIFY(list.contains("HTTPS_PROXY=http://127.0.0.1:8118"));
    }

    void exceptionsAreOutside_data()
    {
        QTest::addColumn<QStringList>("exceptions");
        QTest::addColumn<QString>("direct");
        QTest::newRow("none") << QStringList() << u"localhost,127.0.0.1,::1"_s;
        QTest::newRow("address") << QStringList { u"127.0.0.1:8080"_s } << u"localhost,::1"_s;
        QTest::newRow("spelled otherwise") << QStringList { u"127.1:80"_s } << u"localhost,::1"_s;
        QTest::newRow("version 6") << QStringList { u"[::1]:80"_s } << u"localhost,127.0.0.1"_s;
        QTest::newRow("name") << QStringList { u"LocalHost:80"_s } << u"127.0.0.1,::1"_s;
        QTest::newRow("another") << QStringList { u"10.0.0.1:80"_s }
                                 << u"localhost,127.0.0.1,::1"_s;
    }
    void exceptionsAreOutside()
    {
        QFETCH(QStringList, exceptions);
        NetworkFilter filter;
        filter.allowAddresses = exceptions;
        QTEST(proxyEnvironment(filter).value(u"no_proxy"_s), "direct");
        QTEST(proxyEnvironment(filter).value(u"NO_PROXY"_s), "direct");
    }

    void whatIsStartedAheadFitsTheRun()
    {
        // Else the guest would throw the waiting interpreter away.
        for (const auto network : { NetworkMode::None, NetworkMode::Filtered }) {
            ExecutionOptions options;
            options.network = network;
            const auto ahead = aheadOf({}, options, {});
            QCOMPARE(ahead.spec.areConnectionsCarried, network == NetworkMode::Filtered);
            QCOMPARE(ahead.spec.environment, environmentOf({}, options, {}));
        }
    }

    void variablesAreReplaced()
    {
        QCOMPARE(withVariables({ "A=1", "AB=2", "A=3" }, { { u"A"_s, u"new"_s } }),
            (QByteArrayList { "AB=2", "A=new" }));
    }
};

QTEST_GUILESS_MAIN(TestNetworkEnvironment)
#include "tst_networkenvironment.moc"
