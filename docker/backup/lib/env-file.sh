# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# One value of a .env file, as compose reads it. Where docker-compose 1.29 and compose 2 differ, COMPOSE says whose way counts (1 or 2);
# what would be replaced by another variable is refused, for those are not known here. No value is ever printed but to standard output.

# not_plain NUMBER NAME ZH EN: on stderr, without the value.
not_plain() {
    printf '错误: .env 第 %s 行的 %s %s。\nerror: %s in line %s of .env %s.\n' "$1" "$2" "$3" "$2" "$1" "$4" >&2
    return 2
}

# What both take for white space beside C's: U+0085, U+00A0 and their like, as bytes of UTF-8.
ENV_SPACE=$'([[:space:]]|\xc2[\x85\xa0]|\xe1\x9a\x80|\xe2\x80[\x80-\x8a\xa8\xa9\xaf]|\xe2\x81\x9f|\xe3\x80\x80)'

# env_file_value FILE NAME: the value on stdout, nothing where there is none. Returns 2 with the reason for what no one can read for sure.
env_file_value() {
    local LC_ALL=C line number=0 first found='' at=0 KEY MARK WRITTEN
    while IFS= read -r line || [[ -n $line ]]; do
        number=$((number + 1))
        first=$number
        env_refuse_form "$2" || return 2
        env_split || continue
        env_pass_quotes || return 2
        [[ $KEY == "$2" ]] || continue
        env_refuse_value "$2" || return 2
        found=$WRITTEN at=$first
    done <"$1"
    [[ $at -eq 0 ]] || env_text "$found" "$at" "$2"
}

# env_refuse_form NAME: takes what ends $line off it, and fails for forms of a line that only one of the two takes for one of NAME's.
env_refuse_form() {
    if [[ $number -eq 1 ]]; then line=${line#$'\xef\xbb\xbf'}; fi
    line=${line%$'\r'}
    local begins="^$ENV_SPACE*(export$ENV_SPACE+)?"
    if [[ $line == *$'\r'* ]]; then
        not_plain "$number" "$1" "前有单独的回车符，请改用普通换行" "may stand behind a lone carriage return: end lines with a newline"
    elif [[ $line =~ $begins\' ]]; then
        not_plain "$number" "$1" "可能写在引号中，变量名请不要加引号" "may stand in quotes: write names without them"
    elif [[ $line =~ $begins$1$ENV_SPACE*: ]]; then
        not_plain "$number" "$1" "请写成 $1=值" "has to be written $1=value"
    fi
}

# Sets KEY, MARK (empty where a name stands alone) and WRITTEN from $line. Fails where it is no statement.
env_split() {
    local name='[^=#[:space:]]+' mark='='
    if [[ $COMPOSE == 2 ]]; then name='[^=:#[:space:]]+' mark='[=:]'; fi
    local pattern="^$ENV_SPACE*(export$ENV_SPACE+)?($name)$ENV_SPACE*(($mark)$ENV_SPACE*(.*)|#.*)?\$"
    [[ $line =~ $pattern ]] || return 1
    KEY=${BASH_REMATCH[4]} MARK=${BASH_REMATCH[7]} WRITTEN=${BASH_REMATCH[9]}
    env_trim_end KEY
}

# env_trim_end VARIABLE: without the white space that it ends with.
env_trim_end() {
    local pattern="^(.*)$ENV_SPACE\$"
    while [[ ${!1} =~ $pattern ]]; do printf -v "$1" %s "${BASH_REMATCH[1]}"; done
}

# Where WRITTEN opens a quote, reads on to the line that closes it, so that nothing within passes for a line of its own. What has no such
# end for sure compose 2 refuses, and of 1.29 each release skips another part of the file.
env_pass_quotes() {
    local quote=${WRITTEN:0:1} part=${WRITTEN:1} doubled closed nothing="^$ENV_SPACE*(#.*)?\$"
    [[ $quote == [\'\"] ]] || return 0
    doubled="\\\\$quote" closed="^([^$quote\\]|\\\\.)*$quote(.*)\$"
    until [[ $part =~ $closed || $part == *"$doubled"* ]]; do
        IFS= read -r part || [[ -n $part ]] || break
        number=$((number + 1)) part=${part%$'\r'}
    done
    [[ $part != *"$doubled"* && $part =~ $closed && ${BASH_REMATCH[2]} =~ $nothing ]] ||
        not_plain "$first" "$KEY" "的引号没有成对，引号前有两个反斜杠，或引号后还有内容" \
            "has a quote that is not closed, two backslashes before one, or something behind it"
}

# env_refuse_value NAME: fails where the value is none that a secret can be.
env_refuse_value() {
    if [[ $number -ne $first ]]; then
        not_plain "$first" "$1" "的值不止一行" "has a value of more than one line"
    elif [[ $COMPOSE == 2 && -z $MARK && -n $found ]]; then
        # Compose 2 keeps the value before it, unless the shell has one; 1.29 has none then.
        not_plain "$first" "$1" "前面已有值，这一行却没有值，请删去其中一行" "stands alone and has a value in line $at: remove one of them"
    fi
}

# env_text WRITTEN NUMBER NAME: what stands behind the equals sign, without quotes and comment.
env_text() {
    local text=$1 quote=''
    case $text in
        [\'\"]*)
            quote=${text:0:1}
            env_quoted "$quote" "${text:1}" || {
                not_plain "$2" "$3" "的引号没有成对，或引号后还有内容" "has a quote that is not closed, or something behind it"
                return 2
            }
            text=$QUOTED
            ;;
        *)
            text=${text%%" #"*}
            if [[ $text =~ $ENV_SPACE# || $text == *[$'\x1c'-$'\x1f']* ]]; then
                not_plain "$2" "$3" "在 # 前有制表符或特殊空白，或含有控制字符，请改用空格或引号" \
                    "has a tab or an unusual space before #, or a control character: write a space, or quotes"
                return 2
            fi
            env_trim_end text
            ;;
    esac
    # Compose 2 replaces $NAME and ${NAME} but in single quotes, 1.29 ${NAME} everywhere.
    if [[ $text == *"\${"* && ($COMPOSE == 1 || $quote != "'") ]] ||
        [[ $COMPOSE == 2 && $quote != "'" && ${text//'$$'/} =~ \$[A-Za-z_] ]]; then
        not_plain "$2" "$3" "含有 \$，compose 会把它当作变量；请加单引号（\${ 不能使用）" \
            "holds a \$, which compose takes for a variable: put it in single quotes (\${ cannot be had)"
        return 2
    fi
    if [[ $COMPOSE == 2 && $quote != "'" ]]; then text=${text//'$$'/'$'}; fi
    [[ -z $text ]] || printf '%s\n' "$text"
}

# env_quoted QUOTE REST: sets QUOTED to what stands before the closing quote. Fails where there is none, or more behind it than a comment.
env_quoted() {
    local quote=$1 rest=$2 character next comment='^[[:space:]]*(#.*)?$'
    QUOTED=''
    while [[ -n $rest ]]; do
        character=${rest:0:1} next=${rest:1:1} rest=${rest:1}
        if [[ $character == "$quote" ]]; then
            [[ $rest =~ $comment ]]
            return
        fi
        if [[ $character == \\ ]]; then
            case $quote$next in
                \'\' | \"\" | \"\\) character=$next rest=${rest:1} ;;
                # Compose 2 leaves two of them as they are, and knows none before a closing quote.
                \'\\)
                    if [[ $COMPOSE == 2 ]]; then QUOTED+=$character; fi
                    rest=${rest:1}
                    ;;
                \"[\'\$abfnrtv]) return 1 ;;
            esac
        fi
        QUOTED+=$character
    done
    return 1
}
