// SPDX-License-Identifier: MIT
#include "app/serve/openapi.h"
#include "app/serve/routes.h"
#include "engine/core/names.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QTest>

using namespace Qt::StringLiterals;
using namespace isol8;
using namespace isol8::serve;

namespace {

/// Every `$ref` below @p value.
void collectReferences(const QJsonValue& value, QStringList& references)
{
    if (value.isArray()) {
        const auto array = value.toArray();
        for (const auto& item : array)
            collectReferences(item, references);
        return;
    }
    const auto object = value.toObject();
    for (auto each = object.begin(); each != object.end(); ++each) {
        if (each.key() == "$ref"_L1)
            references << each.value().toString();
        else
            collectReferences(each.value(), references);
    }
}

QJsonObject operation(const QString& path, const QString& method)
{
    return openApiDocument()[u"paths"][path][method].toObject();
}

} // namespace

class TestOpenApi : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void describesEveryRoute();
    void tellsWhoMayUseARoute();
    void refersToWhatIsThere();
    void namesEachOperationOnce();
    void namesWhatTheCodeNames();
};

void TestOpenApi::describesEveryRoute()
{
    QStringList served;
    for (const auto& route : routes())
        served << route.method + u' ' + route.path;
    QStringList described;
    for (const auto& route : describedRoutes())
        described << QString::fromLatin1(route.method + ' ' + route.pattern);
    served.sort();
    described.sort();
    QCOMPARE(described, served);
}

void TestOpenApi::tellsWhoMayUseARoute()
{
    for (const auto& route : routes()) {
        const auto path = QString(route.path).replace(u":id"_s, u"{id}"_s);
        const auto described = operation(path, QString(route.method).toLower());
        QVERIFY2(!described.isEmpty(), qPrintable(path));
        QCOMPARE(described.contains(u"security"_s), route.access == Access::Anyone);
        QCOMPARE(described[u"description"] == "Needs the master key."_L1,
            route.access == Access::MasterKey);
        QVERIFY(!described[u"summary"].toString().isEmpty());
        QCOMPARE(
            described[u"responses"].toObject().contains(u"401"_s), route.access != Access::Anyone);
    }
}

void TestOpenApi::refersToWhatIsThere()
{
    const auto document = openApiDocument();
    QCOMPARE(document[u"openapi"].toString(), u"3.1.0"_s);
    const auto schemas = document[u"components"][u"schemas"].toObject();
    QStringList references;
    collectReferences(document, references);
    QVERIFY(references.size() > 50);
    for (const auto& each : std::as_const(references)) {
        QVERIFY(each.startsWith("#/components/schemas/"_L1));
        QVERIFY2(schemas.contains(each.section(u'/', 3)), qPrintable(each));
    }
    // ClientMessage is spoken over the WebSocket, which OpenAPI cannot say.
    for (const auto& name : schemas.keys()) {
        QVERIFY2(
            name == "ClientMessage"_L1 || references.contains(u"#/components/schemas/"_s + name),
            qPrintable(name));
    }
}

void TestOpenApi::namesEachOperationOnce()
{
    QStringList ids;
    const auto paths = openApiDocument()[u"paths"].toObject();
    for (const auto& path : paths) {
        const auto methods = path.toObject();
        for (const auto& each : methods)
            ids << each[u"operationId"].toString();
    }
    QCOMPARE(ids.size(), describedRoutes().size());
    QCOMPARE(ids.removeDuplicates(), 0);
    QVERIFY(ids.contains(u"postExecuteStream"_s));
}

void TestOpenApi::namesWhatTheCodeNames()
{
    const auto schemas = openApiDocument()[u"components"][u"schemas"];
    QCOMPARE(schemas[u"Runtime"][u"enum"].toArray(), QJsonArray::fromStringList(runtimeNames()));
    QCOMPARE(schemas[u"EndReason"][u"enum"].toArray().size(), int(EndReason::EngineLost) + 1);
}

QTEST_GUILESS_MAIN(TestOpenApi)
#include "tst_openapi.moc"
