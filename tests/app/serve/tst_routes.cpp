// SPDX-License-Identifier: MIT
#include "app/serve/openapi.h"
#include "app/serve/routes.h"

#include <QTest>

using namespace isol8::serve;
using namespace Qt::StringLiterals;

/// The table of routes: what it finds, and that all of it is described.
class TestRoutes : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void findsRoutes_data();
    void findsRoutes();
    void namesTheAllowedMethods();
    void everyRouteIsDescribed();
    void onlyHealthIsOpen();
};

void TestRoutes::findsRoutes_data()
{
    QTest::addColumn<QByteArray>("method");
    QTest::addColumn<QString>("path");
    QTest::addColumn<QString>("pattern"); // Empty: none.
    QTest::addColumn<QString>("parameter");
    const auto row = [](const QByteArray& method, const QString& path, const QString& pattern,
                         const QString& parameter = {}) {
        QTest::addRow("%s %s", method.constData(), qPrintable(path))
            << method << path << pattern << parameter;
    };
    row("GET", u"/health"_s, u"/health"_s);
    row("HEAD", u"/health"_s, u"/health"_s);
    row("POST", u"/execute/stream"_s, u"/execute/stream"_s);
    row("DELETE", u"/session/a.b-c"_s, u"/session/:id"_s, u"a.b-c"_s);
    row("POST", u"/executions/x/cancel"_s, u"/executions/:id/cancel"_s, u"x"_s);
    row("GET", u"/executions/cancel"_s, u"/executions/:id"_s, u"cancel"_s);
    row("GET", u"/executions/x/cancel"_s, {});
    row("POST", u"/executions//cancel"_s, {});
    row("GET", u"/executions/"_s, {});
    row("DELETE", u"/session/a/b"_s, {});
    row("GET", u"/health/"_s, {});
    row("GET", u"//health"_s, {});
    row("GET", u"/Health"_s, {});
    row("GET", u"/health/../execute"_s, {});
    row("get", u"/health"_s, {});
    row("OPTIONS", u"*"_s, {});
    row("GET", QString(), {});
}

void TestRoutes::findsRoutes()
{
    QFETCH(QByteArray, method);
    QFETCH(QString, path);
    QFETCH(QString, pattern);
    QFETCH(QString, parameter);
    const auto match = findRoute(method, path);
    QCOMPARE(match.route ? QString(match.route->path) : QString(), pattern);
    QCOMPARE(match.parameter, parameter);
}

void TestRoutes::namesTheAllowedMethods()
{
    const auto match = findRoute("PATCH", u"/file"_s);
    QVERIFY(!match.route);
    QCOMPARE(match.allowedMethods, (QByteArrayList { "POST", "GET", "DELETE" }));
    QVERIFY(findRoute("PATCH", u"/nowhere"_s).allowedMethods.isEmpty());
}

void TestRoutes::everyRouteIsDescribed()
{
    QByteArrayList described;
    for (const auto& route : describedRoutes())
        described << route.method + ' ' + route.pattern;
    QByteArrayList known;
    for (const auto& route : routes())
        known << QByteArray(route.method.data(), route.method.size()) + ' '
                + QByteArray(route.path.data(), route.path.size());
    std::ranges::sort(described);
    std::ranges::sort(known);
    QCOMPARE(described, known);
}

void TestRoutes::onlyHealthIsOpen()
{
    for (const auto& route : routes()) {
        QCOMPARE(route.access == Access::Anyone, route.path == "/health"_L1);
        const bool isAdministration
            = route.path.startsWith("/auth/"_L1) || route.path == "/cleanup"_L1;
        QCOMPARE(route.access == Access::MasterKey, isAdministration);
    }
}

QTEST_GUILESS_MAIN(TestRoutes)
#include "tst_routes.moc"
