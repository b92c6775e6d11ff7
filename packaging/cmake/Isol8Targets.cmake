# SPDX-License-Identifier: MIT
# What every target of the project has in common: warnings, Qt's strict defines, one precompiled header.

find_program(ISOL8_MOLD mold)
if(ISOL8_MOLD AND NOT DEFINED CMAKE_LINKER_TYPE)
    set(CMAKE_LINKER_TYPE MOLD)
endif()

option(ISOL8_WERROR "Treat warnings as errors" OFF)
set(ISOL8_SANITIZE "" CACHE STRING "Sanitizers, for example address,undefined")

add_library(isol8_options INTERFACE)
target_compile_options(isol8_options INTERFACE -fPIC -Wall -Wextra $<$<BOOL:${ISOL8_WERROR}>:-Werror>
    $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>) # Without it ccache gives up on a precompiled header.
target_compile_definitions(isol8_options INTERFACE
    QT_NO_CAST_FROM_ASCII QT_NO_CAST_TO_ASCII QT_NO_KEYWORDS QT_NO_FOREACH
    ISOL8_VERSION="${PROJECT_VERSION}")
target_include_directories(isol8_options INTERFACE ${PROJECT_SOURCE_DIR})
if(ISOL8_SANITIZE)
    target_compile_options(isol8_options INTERFACE -fsanitize=${ISOL8_SANITIZE}
        -fno-sanitize-recover=all -fno-omit-frame-pointer)
    # A program at a fixed address starts in half the time: nothing of it has to be relocated.
    target_link_options(isol8_options INTERFACE -fsanitize=${ISOL8_SANITIZE}
        $<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:-no-pie>)
endif()

# The headers that nearly every source reads anyway; sources still include what they use.
function(isol8_define_precompiled_headers)
    file(WRITE ${PROJECT_BINARY_DIR}/precompiled.cpp "")
    add_library(isol8_precompiled OBJECT ${PROJECT_BINARY_DIR}/precompiled.cpp)
    set_target_properties(isol8_precompiled PROPERTIES AUTOMOC OFF POSITION_INDEPENDENT_CODE ON)
    target_link_libraries(isol8_precompiled PRIVATE isol8_options Qt6::Core Qt6::Network
        QCoro6::Core QCoro6::Network)
    target_precompile_headers(isol8_precompiled PRIVATE
        <QByteArray> <QCoroTask> <QDir> <QFile> <QFileInfo> <QHash> <QJsonArray> <QJsonDocument>
        <QJsonObject> <QLocalSocket> <QLoggingCategory> <QNetworkAccessManager> <QNetworkReply>
        <QObject> <QProcess> <QRegularExpression> <QStringList> <QTimer> <QUrl> <QVariant>
        <algorithm> <chrono> <expected> <functional> <memory> <optional> <string> <vector>)
endfunction()

# isol8_component(docker SOURCES a.cpp … LINK core …): the folder engine/docker as an object library
# isol8_engine_docker. A folder can only use the folders it names, so includes go one way.
function(isol8_component name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINK;LIBRARIES")
    set(target isol8_engine_${name})
    add_library(${target} OBJECT ${arg_SOURCES})
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
    target_link_libraries(${target} PUBLIC isol8_options Qt6::Core Qt6::Network QCoro6::Core
        QCoro6::Network)
    target_precompile_headers(${target} REUSE_FROM isol8_precompiled)
    set(all ${arg_LINK})
    foreach(component ${arg_LINK})
        get_target_property(inherited isol8_engine_${component} ISOL8_COMPONENTS)
        list(APPEND all ${inherited})
        get_target_property(libraries isol8_engine_${component} ISOL8_LIBRARIES)
        list(APPEND arg_LIBRARIES ${libraries})
    endforeach()
    list(FILTER arg_LIBRARIES EXCLUDE REGEX "NOTFOUND$")
    target_link_libraries(${target} PUBLIC ${arg_LIBRARIES})
    list(FILTER all EXCLUDE REGEX "NOTFOUND$")
    list(REMOVE_DUPLICATES all)
    set_target_properties(${target} PROPERTIES ISOL8_COMPONENTS "${all}"
        ISOL8_LIBRARIES "${arg_LIBRARIES}")
endfunction()

# isol8_link_components(target docker …) links the objects of the named components and of those they use.
function(isol8_link_components target)
    set(all ${ARGN})
    foreach(component ${ARGN})
        get_target_property(inherited isol8_engine_${component} ISOL8_COMPONENTS)
        list(APPEND all ${inherited})
    endforeach()
    list(FILTER all EXCLUDE REGEX "NOTFOUND$")
    list(REMOVE_DUPLICATES all)
    foreach(component ${all})
        target_link_libraries(${target} PRIVATE isol8_engine_${component})
    endforeach()
endfunction()
