// SPDX-License-Identifier: MIT
// The body of a request, a result and an event of any content are refused, or read into values that
// survive being written out and read again.
#include "engine/core/executionjson.h"
#include "engine/core/requestjson.h"
#include "engine/core/strictjson.h"
#include "engine/core/validation.h"

#include <cstdint>
#include <cstdlib>

using namespace isol8;
using namespace Qt::StringLiterals;

namespace {

/// What comes back must be taken, and come back the same.
template <typename Value> void checkAgain(const Value& value, auto read)
{
    const auto json = toJson(value);
    const auto again = read(json);
    if (!again || toJson(*again) != json)
        std::abort();
}

} // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***)
{
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto object = parseJsonObject(
        QByteArray(reinterpret_cast<const char*>(data), static_cast<qsizetype>(size)));
    if (!object)
        return 0;
    const auto readOptions = [](const QJsonObject& json) { return optionsFromJson(json, {}); };
    const auto request = requestFromJson(object->value(u"request"_s).toObject());
    const auto options = readOptions(object->value(u"options"_s).toObject());
    if (request)
        checkAgain(*request, requestFromJson);
    if (options)
        checkAgain(*options, readOptions);
    if (request && options)
        (void)validate(*request, *options);
    if (const auto result = resultFromJson(*object))
        checkAgain(*result, resultFromJson);
    if (const auto event = streamEventFromJson(*object))
        checkAgain(*event, streamEventFromJson);
    return 0;
}
