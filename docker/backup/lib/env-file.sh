# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# One value of a .env file, as compose reads it. Where docker-compose 1.29 and compose 2 differ, COMPOSE says whose way counts (1 or 2);
# what would be replaced by another variable is refused, for those are not known here. No value is ever printed but to standard output.

# not_plain NUMBER NAME ZH EN: on stderr, without the value.
not_plain() {
    printf '错误: .env 第 %s 行的 %s %s。\nerror: %s in line %s of .env %s.\n' "$1" "$2" "$3" "$2" "$1" "$4" >&2
    return 2
}

# env_file_value FILE NAME: the value on stdout, nothing where there is none. Returns 2 with the reason for what no one can read for sure.
env_file_value() {
    local line number=0 found='' at=0 pattern="^[[:space:]]*(export[[:space:]]+)?$2[[:space:]]*([=:])(.*)\$"
    while IFS= read -r line || [[ -n $line ]]; do
        number=$((number + 1))
        if [[ $number -eq 1 ]]; then line=${line#$'\xef\xbb\xbf'}; fi
        line=${line%$'\r'}
        [[ $line =~ $pattern ]] || continue
        if [[ ${BASH_REMATCH[2]} == : ]]; then
            not_plain "$number" "$2" "请写成 $2=值" "has to be written $2=value"
            return 2
        fi
        found=${BASH_REMATCH[3]} at=$number
    done <"$1"
    [[ $at -eq 0 ]] || env_text "$found" "$at" "$2"
}

# env_text WRITTEN NUMBER NAME: what stands behind the equals sign, without quotes and comment.
env_text() {
    local text=$1 rest quote=''
    text=${text#"${text%%[![:space:]]*}"}
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
            rest=${text%%" #"*}
            if [[ $rest == *$'\t'#* ]]; then
                not_plain "$2" "$3" "在 # 前有制表符，请改用空格或引号" "has a tab before #: write a space, or quotes"
                return 2
            fi
            text=${rest%"${rest##*[![:space:]]}"}
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
                \"[\$abfnrtv]) return 1 ;;
            esac
        fi
        QUOTED+=$character
    done
    return 1
}
